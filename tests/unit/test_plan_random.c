/* Random networks: the finished plan against the plain evaluation of what was lowered. */
#include "plan_interpreter.h"

static const Geometry point = {1, 1, 1, 0, 0};
static const Geometry same3 = {3, 1, 1, 1, 1};

typedef struct Pool {
    Value *values[64];
    int count;
} Pool;

static Value *pick(Network *net, const Pool *pool, int rank) {
    for (int tries = 0; tries < 40; tries++) {
        /* recent ones more often */
        int from = random_bits(&net->random) % 2 ? 0 : pool->count / 2;
        Value *value =
            pool->values[from + (int)(random_bits(&net->random) % (unsigned)(pool->count - from))];
        if (rank == 0 || value->type.shape.rank == rank)
            return value;
    }
    return NULL;
}

static Value *pick_equal(Network *net, const Pool *pool, const Value *like, int except_axis) {
    for (int tries = 0; tries < 40; tries++) {
        Value *value = pick(net, pool, like->type.shape.rank);
        Shape shape = value ? value->type.shape : (Shape){0};
        if (except_axis >= 0)
            shape.dims[except_axis] = like->type.shape.dims[except_axis];
        if (value && shape_equal(&shape, &like->type.shape))
            return value;
    }
    return NULL;
}

static Geometry random_geometry(Network *net, const Shape *shape) {
    Geometry g = {1 + random_bits(&net->random) % 3, 1 + random_bits(&net->random) % 2,
                  1 + random_bits(&net->random) % 2, random_bits(&net->random) % 2,
                  random_bits(&net->random) % 2};
    if (random_bits(&net->random) % 3 == 0)
        g = same3; /* keeps shapes equal, for sums and concats */
    for (int axis = 1; axis < shape->rank; axis++)
        if (shape->dims[axis] < (g.kernel - 1) * g.dilation + 1)
            return point;
    if (g.kernel == 1 || g.begin >= (g.kernel - 1) * g.dilation + 1)
        g.begin = g.end = 0; /* average pooling needs one real element */
    return g;
}

static Value *random_conv(Network *net, Value *x) {
    static const int64_t sizes[] = {1, 3, 4, 5, 8, 16, 17, 24, 32};
    int64_t channels = x->type.shape.dims[0];
    int64_t filters = sizes[random_bits(&net->random) % 9];
    int64_t groups = 1;
    switch (random_bits(&net->random) % 4) {
    case 0: filters = groups = channels; break;
    case 1: filters = channels; break;
    case 2:
        if (channels % 2 == 0 && filters % 2 == 0)
            groups = 2;
        break;
    }
    return net_conv(net, x, filters, random_geometry(net, &x->type.shape), groups,
                    random_bits(&net->random) % 2);
}

static Value *random_concat(Network *net, const Pool *pool, Value *x) {
    int axis = (int)(random_bits(&net->random) % (unsigned)x->type.shape.rank);
    Value *inputs[3] = {x, pick_equal(net, pool, x, axis), pick_equal(net, pool, x, axis)};
    return net_concat(net, inputs, inputs[1] && inputs[2] ? 3 : inputs[1] ? 2 : 1, axis);
}

static Value *random_view(Network *net, Value *x) {
    const Shape *shape = &x->type.shape;
    int64_t elements = shape_elements(shape);
    switch (random_bits(&net->random) % 4) {
    case 0: return net_view(net, x, *shape);
    case 1:
        if (elements % 8 == 0)
            return net_view(net, x, shape_make(3, 8, INT64_C(1), elements / 8));
        break;
    case 2:
        if (elements % 18 == 0)
            return net_view(net, x, shape_make(3, elements / 18, 6, 3));
        break;
    }
    return net_flatten(net, x);
}

/* One axis at least. */
static AxisSet random_axes(Network *net, const Value *x) {
    AxisSet all = (1U << x->type.shape.rank) - 1;
    AxisSet axes = random_bits(&net->random) & all;
    return axes != 0 ? axes : all;
}

/* What goes by channel: a trained slope, or a gate that is made from x itself, [C] or [C, 1, 1]. */
static Value *random_channels(Network *net, Value *x) {
    uint32_t choice = random_bits(&net->random) % 4;
    if (choice < 2)
        return net_prelu(net, x, choice == 0);
    if (x->type.shape.rank < 2)
        return net_gate(net, x, net_map(net, x, MAP_SIGMOID));
    Value *gate = net_map(net, net_mean(net, x), MAP_SIGMOID);
    if (choice == 2 || x->type.shape.rank != 3)
        return net_gate(net, x, gate);
    int64_t channels = x->type.shape.dims[0];
    gate = net_view(net, gate, shape_make(3, channels, INT64_C(1), INT64_C(1)));
    const Geometry point = {.kernel = 1, .stride = 1, .dilation = 1};
    return net_gate(net, x, net_map(net, net_conv(net, gate, channels, point, 1, true), MAP_TANH));
}

static Value *random_rearrange(Network *net, Value *x) {
    int order[TENSOR_MAX_RANK], rank = x->type.shape.rank;
    for (int i = 0; i < rank; i++) { /* Fisher and Yates, from the inside out */
        int k = (int)(random_bits(&net->random) % (unsigned)(i + 1));
        order[i] = order[k];
        order[k] = i;
    }
    RearrangeEdge edge = (RearrangeEdge)(random_bits(&net->random) % 3);
    int64_t pad = random_bits(&net->random) % 3, last = x->type.shape.dims[order[rank - 1]];
    return net_rearrange(net, x, order, pad < last ? pad : last - 1, edge);
}

static Value *random_layer(Network *net, const Pool *pool) {
    static const MapOp maps[] = {MAP_RELU,     MAP_CLIP,       MAP_LEAKY_RELU, MAP_SIGMOID,
                                 MAP_TANH,     MAP_HARD_SWISH, MAP_GELU,       MAP_SOFTPLUS,
                                 MAP_SOFTSIGN, MAP_NEGATE};
    static const MapOp combinations[] = {MAP_ADD, MAP_SUBTRACT, MAP_MINIMUM, MAP_MAXIMUM};
    Value *x = pick(net, pool, 0);
    Value *image = pick(net, pool, random_bits(&net->random) % 4 ? 3 : 2);
    uint32_t choice = random_bits(&net->random) % 30;
    if (choice < 4 && image)
        return random_conv(net, image);
    if (choice == 4 && image) {
        bool average = random_bits(&net->random) % 2;
        return net_window(net, image, random_geometry(net, &image->type.shape), average,
                          random_bits(&net->random) % 2, random_bits(&net->random) % 2);
    }
    if (choice == 5 && image)
        return net_mean(net, image);
    if (choice == 6)
        return net_dense(net, random_bits(&net->random) % 2 ? x : net_flatten(net, x),
                         1 + random_bits(&net->random) % 40, random_bits(&net->random) % 2);
    if (choice == 7)
        return net_softmax(net, x, (int)(random_bits(&net->random) % (unsigned)x->type.shape.rank));
    if (choice == 8)
        return random_view(net, x);
    if (choice == 16)
        return net_normalise(net, x, random_axes(net, x), random_bits(&net->random) % 2);
    if (choice == 21 && image)
        return net_adaptive(net, image, 1 + random_bits(&net->random) % 5);
    if (choice == 22)
        return net_lrn(net, x, random_bits(&net->random) % 3, random_bits(&net->random) % 3);
    if (choice == 17)
        return net_reduce(net, x, (ReduceOp)(random_bits(&net->random) % 4), random_axes(net, x));
    if (choice == 9 || choice == 10)
        return random_concat(net, pool, x);
    if (choice == 11)
        return net_batchnorm(net, x);
    if (choice == 12 || choice == 13) {
        Value *y = pick_equal(net, pool, x, -1);
        if (y)
            return net_combine(net, x, y, combinations[random_bits(&net->random) % 4]);
    }
    if (choice == 14)
        return net_rows(net, x, 1 + random_bits(&net->random) % 20, random_bits(&net->random) % 2);
    if (choice > 27 && x->type.shape.rank == 2) { /* half of them by whole vectors */
        int64_t outputs = 1 + random_bits(&net->random) % 40;
        bool whole = random_bits(&net->random) % 2;
        return net_dense_rows(net, x, whole ? (outputs / 16 + 1) * 16 : outputs, outputs % 3);
    }
    if (choice == 23 && x->type.shape.rank == 2)
        return net_positions(net, x);
    if (choice == 15 && image) {
        Value *y = pick_equal(net, pool, image, -1);
        return net_matmul(net, image, y ? y : image);
    }
    if (choice == 18)
        return random_channels(net, x);
    if (choice == 19)
        return random_rearrange(net, x);
    if (choice == 20 && image)
        return net_resize(net, image, random_bits(&net->random) % 3, random_bits(&net->random) % 2);
    return net_map(net, x, maps[random_bits(&net->random) % 10]);
}

static void test_random_networks(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 600; seed++) {
        Network net;
        network_begin(&net, (MachineKind)(seed % 4), seed);
        net.tile_size = 2 * (int)(seed / 4 % 5);
        Pool pool = {0};
        pool.values[pool.count++] =
            net_input(&net, "x", shape_make(3, 1 + (int64_t)seed % 5, 6, 6));
        if (seed % 3 == 0)
            pool.values[pool.count++] = net_input(&net, "v", shape_make(1, 16));
        if (seed % 4 == 0)
            pool.values[pool.count++] =
                net_input(&net, "s", shape_make(2, 16 - (int64_t)seed % 3, seed % 8 ? 9 : 32));
        int layers = 3 + (int)(random_bits(&net.random) % 20);
        for (int i = 0; i < layers; i++) {
            Value *value = random_layer(&net, &pool);
            if (shape_elements(&value->type.shape) < 4000)
                pool.values[pool.count++] = value;
        }
        net_return(&net, pool.values[pool.count - 1]);
        for (uint32_t i = random_bits(&net.random) % 3; i > 0; i--)
            net_return(&net, pick(&net, &pool, 0));
        plan_check(&net);
        network_end(&net);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The graph as text, one line a node: --emit=graph. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "layers/layer.h"

/* ---- arguments ---------------------------------------------------------------------------- */

/* "3x3", or "3" where all entries are equal and `collapse` is asked for. */
static void print_size(const int64_t *size, int axes, bool collapse, StrBuf *out) {
    bool equal = true;
    for (int i = 1; i < axes; i++)
        equal = equal && size[i] == size[0];
    for (int i = 0; i < (equal && collapse ? 1 : axes); i++)
        strbuf_format(out, i ? "x%" PRId64 : "%" PRId64, size[i]);
}

static void print_padding(const Attribute *attribute, int axes, StrBuf *out) {
    if (attribute->padding.mode == PADDING_SAME) {
        strbuf_add(out, "same");
        return;
    }
    bool symmetric = true;
    for (int i = 0; i < axes; i++)
        symmetric = symmetric && attribute->padding.begin[i] == attribute->padding.end[i];
    if (symmetric) {
        print_size(attribute->padding.begin, axes, true, out);
        return;
    }
    strbuf_add_char(out, '(');
    for (int i = 0; i < 2 * axes; i++)
        strbuf_format(out, i ? ", %" PRId64 : "%" PRId64,
                      i < axes ? attribute->padding.begin[i] : attribute->padding.end[i - axes]);
    strbuf_add_char(out, ')');
}

/* "(1, 2)", or one number alone. */
static void print_list(const int64_t *items, size_t count, StrBuf *out) {
    for (size_t i = 0; i < count; i++)
        strbuf_format(out, "%s%" PRId64, i ? ", " : count > 1 ? "(" : "", items[i]);
    strbuf_add(out, count > 1 ? ")" : "");
}

static void print_axes(const Attribute *attribute, StrBuf *out) {
    int64_t items[TENSOR_MAX_RANK];
    for (int i = 0; i < attribute->axes.count; i++)
        items[i] = attribute->axes.axis[i];
    print_list(items, (size_t)attribute->axes.count, out);
}

static void print_numbers(const Attribute *attribute, StrBuf *out) {
    size_t count = attribute->numbers.count;
    for (size_t i = 0; i < count; i++)
        strbuf_format(out, "%s%.15g", i ? ", " : count > 1 ? "(" : "", attribute->numbers.items[i]);
    strbuf_add(out, count > 1 ? ")" : "");
}

static void print_choice(const AttributeInfo *info, const Attribute *attribute, StrBuf *out) {
    size_t length;
    const char *choice = attribute_choice(info, attribute->integer, &length);
    strbuf_add_bytes(out, choice, length);
}

/* As one would write it. `collapse`: a size as a single integer where that says the same. */
static void print_attribute(const Node *node, int index, bool collapse, StrBuf *out) {
    const Attribute *attribute = &node->attributes[index];
    int rank = node->inputs[0]->type.shape.rank;
    int axes = rank <= 2 ? 1 : rank > MAX_SPATIAL ? MAX_SPATIAL : rank - 1;
    switch (attribute->kind) {
    case ATTRIBUTE_INTEGER:
    case ATTRIBUTE_AXIS: strbuf_format(out, "%" PRId64, attribute->integer); break;
    case ATTRIBUTE_NUMBER: strbuf_format(out, "%.15g", attribute->number); break;
    case ATTRIBUTE_BOOLEAN: strbuf_add(out, attribute->boolean ? "on" : "off"); break;
    case ATTRIBUTE_SIZE: print_size(attribute->size, axes, collapse, out); break;
    case ATTRIBUTE_PADDING: print_padding(attribute, axes, out); break;
    case ATTRIBUTE_AXES: print_axes(attribute, out); break;
    case ATTRIBUTE_SHAPE: shape_print(&attribute->shape, out); break;
    case ATTRIBUTE_WORD: print_choice(&node->layer->attributes[index], attribute, out); break;
    case ATTRIBUTE_INTEGERS:
        print_list(attribute->integers.items, attribute->integers.count, out);
        break;
    case ATTRIBUTE_NUMBERS: print_numbers(attribute, out); break;
    }
}

static bool is_default(const Node *node, int index) {
    const char *fallback = node->layer->attributes[index].fallback;
    if (!node->attributes[index].given)
        return true;
    if (!fallback)
        return false;
    if (node->attributes[index].kind == ATTRIBUTE_WORD)
        return node->attributes[index].integer == 0;
    StrBuf text = {0};
    print_attribute(node, index, true, &text);
    bool same = strcmp(strbuf_text(&text), fallback) == 0;
    strbuf_free(&text);
    return same;
}

void graph_print_call(const Node *node, StrBuf *out) {
    const LayerInfo *layer = node->layer;
    const char *separator = "(";
    strbuf_add(out, layer->name);
    for (int i = 0; i < layer->attribute_count; i++) {
        if (is_default(node, i))
            continue;
        strbuf_add(out, separator);
        if (layer->attributes[i].fallback)
            strbuf_format(out, "%s=", layer->attributes[i].name);
        print_attribute(node, i, layer->attributes[i].fallback != NULL, out);
        separator = ", ";
    }
    if (separator[0] == ',')
        strbuf_add_char(out, ')');
}

/* ---- lines -------------------------------------------------------------------------------- */

typedef enum Column {
    COLUMN_PATH,
    COLUMN_LAYER,
    COLUMN_INPUTS,
    COLUMN_SHAPE,
    COLUMN_PARAMETERS,
    COLUMN_COUNT,
} Column;

/* A longer text shifts the rest of its own line only. */
#define MAX_COLUMN_WIDTH 40

typedef struct Line {
    size_t begin[COLUMN_COUNT + 1]; /* in Table.text; a column ends where the next begins */
} Line;

typedef struct Table {
    Arena arena;
    StrBuf text;
    VEC(Line) lines;
    size_t width[COLUMN_COUNT];
} Table;

/* Inputs are called by their parameter, results of nodes by the node's path, "split1.1" where there
 * are several: unlike names in the text, these are unique. */
static void print_label(const Value *value, StrBuf *out) {
    const Node *node = value->producer;
    strbuf_add(out, node ? node->path : value->name);
    for (size_t i = 0; node && node->output_count > 1 && i < node->output_count; i++)
        if (node->outputs[i] == value)
            strbuf_format(out, ".%zu", i);
}

static void begin_column(Table *table, Line *line, Column column) {
    line->begin[column] = table->text.length;
}

static void end_line(Table *table, Line *line) {
    line->begin[COLUMN_COUNT] = table->text.length;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t width = line->begin[i + 1] - line->begin[i];
        if (width > table->width[i] && width <= MAX_COLUMN_WIDTH)
            table->width[i] = width;
    }
    VEC_PUSH(&table->arena, &table->lines, *line);
}

static void add_input(Table *table, const Value *value) {
    Line line;
    begin_column(table, &line, COLUMN_PATH);
    strbuf_add(&table->text, value->name);
    begin_column(table, &line, COLUMN_LAYER);
    strbuf_add(&table->text, "input");
    begin_column(table, &line, COLUMN_INPUTS);
    strbuf_add(&table->text, "-");
    begin_column(table, &line, COLUMN_SHAPE);
    type_print(&value->type, &table->text);
    begin_column(table, &line, COLUMN_PARAMETERS);
    end_line(table, &line);
}

static void add_node(Table *table, const Node *node) {
    Line line;
    begin_column(table, &line, COLUMN_PATH);
    strbuf_add(&table->text, node->path);
    begin_column(table, &line, COLUMN_LAYER);
    graph_print_call(node, &table->text);
    begin_column(table, &line, COLUMN_INPUTS);
    for (size_t i = 0; i < node->input_count; i++) {
        strbuf_add(&table->text, i ? ", " : "");
        print_label(node->inputs[i], &table->text);
    }
    begin_column(table, &line, COLUMN_SHAPE);
    for (size_t i = 0; i < node->output_count; i++) {
        strbuf_add(&table->text, i ? ", " : "");
        shape_print(&node->outputs[i]->type.shape, &table->text);
    }
    begin_column(table, &line, COLUMN_PARAMETERS);
    int64_t parameters = 0; /* graph_count has found that they add up */
    for (size_t i = 0; i < node->weights.count; i++)
        parameters += node->weights.data[i]->elements;
    if (node->weights.count > 0)
        strbuf_add_count(&table->text, parameters, ',');
    end_line(table, &line);
}

static void add_output(Table *table, const char *name, const Value *value) {
    Line line;
    begin_column(table, &line, COLUMN_PATH);
    strbuf_add(&table->text, name);
    begin_column(table, &line, COLUMN_LAYER);
    strbuf_add(&table->text, "output");
    begin_column(table, &line, COLUMN_INPUTS);
    print_label(value, &table->text);
    begin_column(table, &line, COLUMN_SHAPE);
    type_print(&value->type, &table->text);
    begin_column(table, &line, COLUMN_PARAMETERS);
    end_line(table, &line);
}

static void print_line(const Table *table, const Line *line, StrBuf *out) {
    size_t gap = 0; /* blanks owed before the next text: no line ends in any */
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t width = line->begin[i + 1] - line->begin[i];
        if (width > 0) {
            strbuf_fill(out, ' ', gap);
            strbuf_add_bytes(out, table->text.data + line->begin[i], width);
            gap = 0;
        }
        gap += (width < table->width[i] ? table->width[i] - width : 0) + 2;
    }
    strbuf_add_char(out, '\n');
}

void graph_print(const Graph *graph, StrBuf *out) {
    Table table = {0};
    for (size_t i = 0; i < graph->inputs.count; i++)
        add_input(&table, graph->inputs.data[i]);
    for (size_t i = 0; i < graph->nodes.count; i++)
        add_node(&table, graph->nodes.data[i]);
    for (size_t i = 0; i < graph->outputs.count; i++)
        add_output(&table, graph->output_names.data[i], graph->outputs.data[i]);
    strbuf_format(out, "network %s\n", graph->name);
    for (size_t i = 0; i < table.lines.count; i++)
        print_line(&table, &table.lines.data[i], out);
    strbuf_free(&table.text);
    arena_free(&table.arena);
}

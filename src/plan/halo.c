#include "plan/halo.h"

#include "plan/storage.h"

static Halo halo_of_window(const Window *window, Box input, Box output) {
    const int64_t inputs[2] = {input.height, input.width};
    const int64_t outputs[2] = {output.height, output.width};
    Halo halo;
    for (int i = 0; i < 2; i++) {
        int64_t last = (outputs[i] - 1) * window->stride[i] +
                       (window->kernel[i] - 1) * window->dilation[i] - window->pad_begin[i];
        halo.begin[i] = window->pad_begin[i];
        halo.end[i] = last >= inputs[i] ? last + 1 - inputs[i] : 0;
    }
    return halo;
}

/* The output with all pixels of the tiles that cover it. */
static Box winograd_cover(const Step *step) {
    int64_t outputs = step->conv.winograd->outputs;
    return (Box){.height = step->conv.tiles[0] * outputs, .width = step->conv.tiles[1] * outputs};
}

/* Of a convolution that tests its bounds but for columns. Transposed, column o reads the columns
 * i = (o + pad - k * dilation) / stride of all taps k for which that is whole. */
static Halo halo_of_columns(const Step *step, Box input, Box output) {
    const Window *window = &step->conv.window;
    if (!step->conv.transposed) {
        Halo planar = halo_of_window(window, input, output);
        return (Halo){{0, planar.begin[1]}, {0, planar.end[1]}};
    }
    int64_t pad = window->pad_begin[WINDOW_WIDTH], stride = window->stride[WINDOW_WIDTH];
    int64_t reach = (window->kernel[WINDOW_WIDTH] - 1) * window->dilation[WINDOW_WIDTH];
    int64_t last = (output.width - 1 + pad) / stride;
    return (Halo){{0, reach > pad ? (reach - pad) / stride : 0},
                  {0, last >= input.width ? last + 1 - input.width : 0}};
}

Halo halo_of_step(const Step *step) {
    Box input = box_of_shape(&step->input_values[0]->type.shape);
    Box output = box_of_shape(&step->output_value->type.shape);
    if (step->kind == STEP_CONV || step->kind == STEP_STRASSEN || step->kind == STEP_DEPTHWISE)
        return halo_of_window(&step->conv.window, input, output);
    if (step->kind == STEP_WINOGRAD)
        return halo_of_window(&step->conv.window, input, winograd_cover(step));
    if (step->kind == STEP_CONV_GENERAL)
        return halo_of_columns(step, input, output);
    return (Halo){0};
}

bool halo_exists(const Halo *halo) {
    return halo->begin[0] || halo->begin[1] || halo->end[0] || halo->end[1];
}

bool halo_is_none(const Step *step) {
    const Window *window = &step->window.window;
    Halo halo = halo_of_window(window, box_of_shape(&step->input_values[0]->type.shape),
                               box_of_shape(&step->output_value->type.shape));
    return window->input_slices == 1 && window->kernel[WINDOW_DEPTH] == 1 && !halo_exists(&halo);
}

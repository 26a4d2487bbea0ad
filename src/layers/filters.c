#include "layers/filters.h"

#include "layers/edit.h"
#include "layers/layer.h"
#include "layers/window.h"
#include "support/checked.h"

const Weight *filters_weight(const Node *node) {
    return node->weights.data[0];
}

const Weight *filters_bias(const Node *node) {
    return node->weights.count > 1 ? node->weights.data[1] : NULL;
}

bool filters_declare(Inference *inference, Shape weight, int64_t filters, int64_t fan_in) {
    if (infer_weight(inference, "weight", weight, WEIGHT_KERNEL, fan_in, true) == NULL)
        return false;
    return !node_switch(inference->node, "bias") ||
           infer_weight(inference, "bias", shape_make(1, filters), WEIGHT_BIAS, fan_in, true) !=
               NULL;
}

void filters_operations(const Node *node, Factors *factors) {
    if (node_switch(node, "bias"))
        factors_add_elements(factors, node, 1);
}

bool filters_check_groups(Inference *inference, int64_t channels, int64_t filters) {
    int attribute = node_attribute(inference->node, "groups");
    int64_t groups = inference->node->attributes[attribute].integer;
    bool divides_channels = channels % groups == 0;
    bool divides_filters = filters % groups == 0;
    if (divides_channels && divides_filters)
        return true;
    Diagnostics *diagnostics = inference->diagnostics;
    Diagnostic *diagnostic = divides_channels
                                 ? infer_error(inference, DIAG_E0215, attribute,
                                               "%lld groups do not divide %lld filters",
                                               (long long)groups, (long long)filters)
                                 : infer_error(inference, DIAG_E0215, attribute,
                                               "%lld groups do not divide %lld input channels",
                                               (long long)groups, (long long)channels);
    diag_here(diagnostics, diagnostic, "%lld / %lld leaves %lld over",
              (long long)(divides_channels ? filters : channels), (long long)groups,
              (long long)((divides_channels ? filters : channels) % groups));
    if (!divides_channels && !divides_filters)
        diag_note(diagnostics, diagnostic, "nor do they divide the %lld filters",
                  (long long)filters);
    int64_t common = common_divisor(channels, filters);
    edit_argument(
        inference, diagnostic, attribute,
        arena_format(inference->arena, "%lld", (long long)edit_nearest_divisor(common, groups)),
        false,
        arena_format(inference->arena, "groups that divide both %lld channels and %lld filters: %s",
                     (long long)channels, (long long)filters, edit_divisors(inference, common)));
    return false;
}

#include "plan/storage.h"

#include <assert.h>

#include "support/checked.h"

Box box_of_shape(const Shape *shape) {
    Box box = {1, 1, 1};
    if (shape->rank >= 1)
        box.channels = shape->dims[0];
    if (shape->rank >= 2)
        box.width = shape->dims[shape->rank - 1];
    for (int axis = 1; axis < shape->rank - 1; axis++)
        box.height *= shape->dims[axis];
    return box;
}

bool box_equal(Box a, Box b) {
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

Storage *storage_root(Storage *storage) {
    while (storage->parent)
        storage = storage->parent;
    return storage;
}

bool storage_has_halo(const Storage *storage) {
    return halo_exists(&storage->halo);
}

void storage_widen(Storage *storage, const Halo *halo) {
    for (int i = 0; i < 2; i++) {
        if (storage->halo.begin[i] < halo->begin[i])
            storage->halo.begin[i] = halo->begin[i];
        if (storage->halo.end[i] < halo->end[i])
            storage->halo.end[i] = halo->end[i];
    }
}

bool storage_place(Storage *part, Storage *whole, const int64_t place[3]) {
    Storage *root = storage_root(whole);
    if (part->fixed || part->parent || part == root || part->block != whole->block)
        return false;
    /* Whole channels of the root: its halo serves the part, and plain channels have no gaps. */
    bool whole_channels =
        part->box.height == root->box.height && part->box.width == root->box.width;
    if (part->gapless && (!whole_channels || storage_has_halo(root)))
        return false;
    if (storage_has_halo(part) && (!whole_channels || root->gapless))
        return false;
    if (part->gapless)
        root->gapless = true;
    storage_widen(root, &part->halo);
    part->parent = whole;
    for (int i = 0; i < 3; i++)
        part->place[i] = place[i];
    return true;
}

bool storage_measure(Storage *root, int64_t *floats) {
    assert(!root->parent);
    View *view = &root->view;
    view->channels = root->box.channels;
    view->height = root->box.height;
    view->width = root->box.width;
    view->block = root->block;
    view->pixel_stride = root->block;
    int64_t columns, rows, channels, before, bytes;
    bool fits = checked_add(root->box.width, root->halo.begin[1], &columns) &&
                checked_add(columns, root->halo.end[1], &columns) &&
                checked_add(root->box.height, root->halo.begin[0], &rows) &&
                checked_add(rows, root->halo.end[0], &rows) &&
                checked_mul(columns, root->block, &view->row_stride) &&
                checked_mul(rows, view->row_stride, &view->block_stride) &&
                checked_round_up(root->box.channels, root->block, &channels) &&
                checked_mul(channels / root->block, view->block_stride, floats) &&
                checked_mul(*floats, (int64_t)sizeof(float), &bytes) &&
                checked_mul(root->halo.begin[0], view->row_stride, &before);
    if (fits) /* both terms are within the first block */
        view->offset = before + root->halo.begin[1] * view->pixel_stride;
    return fits;
}

View storage_part(Storage *storage, const int64_t place[3], Box box) {
    int64_t at[3] = {place[0], place[1], place[2]};
    for (; storage->parent; storage = storage->parent)
        for (int i = 0; i < 3; i++)
            at[i] += storage->place[i];
    assert(storage->view.buffer);
    View view = storage->view;
    assert(at[0] % view.block == 0);
    view.offset += at[0] / view.block * view.block_stride + at[1] * view.row_stride +
                   at[2] * view.pixel_stride;
    view.channels = box.channels;
    view.height = box.height;
    view.width = box.width;
    return view;
}

View view_reshaped(View view, Box box) {
    assert(view.block == 1);
    view.channels = box.channels;
    view.height = box.height;
    view.width = box.width;
    view.row_stride = box.width;
    view.block_stride = box.height * box.width;
    return view;
}

View view_reordered(View view, const Reorder *reorder, Box box) {
    assert(view.block == 1);
    view.offset += reorder->first;
    view.channels = box.channels;
    view.height = box.height;
    view.width = box.width;
    view.block_stride = reorder->channel;
    view.row_stride = reorder->row;
    view.pixel_stride = reorder->column;
    return view;
}

View storage_view(Storage *storage, Box box) {
    View view = storage_part(storage, (int64_t[3]){0, 0, 0}, storage->box);
    if (box_equal(box, storage->box))
        return view;
    assert(storage->gapless);
    return view_reshaped(view, box);
}

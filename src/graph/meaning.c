#include "graph/meaning.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const Meaning *left = a;
    const Meaning *right = b;
    if (left->span.begin != right->span.begin)
        return left->span.begin < right->span.begin ? -1 : 1;
    if (left->span.end != right->span.end)
        return left->span.end > right->span.end ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind > right->kind ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void meanings_sort(Meanings *meanings) {
    if (meanings->list.count > 0)
        qsort(meanings->list.data, meanings->list.count, sizeof *meanings->list.data, compare);
}

static bool is_same_text(const Meaning *a, const Meaning *b) {
    return a->span.begin == b->span.begin && a->span.end == b->span.end && a->kind == b->kind;
}

const Meaning *meanings_find(const Meanings *meanings, uint32_t offset) {
    const Meaning *found = NULL;
    for (size_t i = 0; i < meanings->list.count; i++) {
        const Meaning *meaning = &meanings->list.data[i];
        if (meaning->span.begin > offset)
            break;
        if (meaning->span.end < offset || (found && is_same_text(found, meaning)))
            continue;
        if (!found ||
            meaning->span.end - meaning->span.begin <= found->span.end - found->span.begin)
            found = meaning;
    }
    return found;
}

size_t meanings_of_text(const Meanings *meanings, const Meaning *first) {
    const Meaning *end = meanings->list.data + meanings->list.count;
    size_t count = 0;
    while (first + count < end && is_same_text(first, first + count))
        count++;
    return count;
}

/* What an expression stands for: a number, text, size, shape, tensor, or tuple of these. */
#ifndef NETC_GRAPH_DATUM_H
#define NETC_GRAPH_DATUM_H

#include "graph/graph.h"
#include "syntax/ast.h"

typedef enum DatumKind {
    DATUM_POISON,  /* unknown because of a mistake already reported; silences what follows */
    DATUM_INTEGER, /* 60 */
    DATUM_NUMBER,  /* 0.5 */
    DATUM_BOOLEAN, /* on, off */
    DATUM_TEXT,    /* "stem" */
    DATUM_SIZE,    /* 3x3 */
    DATUM_SHAPE,   /* [16, 7, 7] */
    DATUM_WORD,    /* `same`, `h`: a bare name as an argument that names no value */
    DATUM_TENSOR,
    DATUM_TUPLE,
} DatumKind;

typedef struct Datum Datum;
struct Datum {
    DatumKind kind;
    union {
        int64_t integer;
        double number;
        bool boolean;
        const char *text;  /* TEXT, WORD */
        const Shape *size; /* SIZE: its factors */
        const Shape *shape;
        Value *tensor;
        struct {
            Datum *items;
            size_t count;
        } tuple;
    };
};

#define DATUM_UNKNOWN ((Datum){.kind = DATUM_POISON})
#define DATUM_NOTHING ((Datum){.kind = DATUM_TUPLE})

Datum datum_integer(int64_t integer);
Datum datum_number(double number);
Datum datum_boolean(bool boolean);
Datum datum_tensor(Value *tensor);

/* "an integer", "a size", for messages. */
const char *datum_kind_name(DatumKind kind);

/* Whether the mistake behind a poisoned datum, or behind an item of a tuple, silences its users. */
bool datum_is_poisoned(const Datum *datum);

bool datum_is_number(const Datum *datum);
/* An integer, or a decimal number that is one and exact as such: 1e9. */
bool datum_is_whole(const Datum *datum);

/* A tensor or a tuple of tensors: what a pipeline passes on. Poison counts as one. */
bool datum_is_tensors(const Datum *datum);

/* -1, 0, 1 as a is less than, equal to, or greater than b: two numbers, compared exactly. 2 if one
 * of them is not a number in the sense of IEEE 754. */
int datum_compare(const Datum *a, const Datum *b);

/* Appends it as one would write it, whole numbers in groups of three: `50,000`, `0.5`, `3x3`. */
void datum_print(const Datum *datum, StrBuf *out);

/* Reads `60`, `-1`, `0.5`, `1e-5`, `60k`, `on`, `3x3`; anything else is a word. */
Datum datum_read(Arena *arena, const char *text);

#endif

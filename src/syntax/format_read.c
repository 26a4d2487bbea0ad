/* From tokens and what stands between them to pieces.
 *
 * Between two tokens there are only blanks, line ends and comments. An arrow at the end of a line
 * goes to the next one, in front of its step; a comma or brace after a comment goes before it. */
#include <string.h>

#include "support/unicode.h"
#include "syntax/formatter.h"

typedef struct Reader {
    Formatter *formatter;
    Parse *parse;
    uint32_t end;   /* of the last token */
    int lines;      /* line ends since then */
    int lines_kept; /* before an arrow that waits, or a `;` */
    bool begins;    /* a statement begins next */
    Span arrow;     /* waits for its step; SPAN_NONE: none */
    int open_count;
    uint32_t open[PARSE_MAX_BRACKETS];
} Reader;

/* ---- order ---------------------------------------------------------------------------------- */

static uint32_t columns_of(const char *text, uint32_t length) {
    uint32_t columns = 0;
    for (uint32_t at = 0; at < length;) {
        uint32_t scalar;
        at += (uint32_t)unicode_decode(text + at, length - at, &scalar);
        columns += (uint32_t)unicode_cells(scalar);
    }
    return columns;
}

static Piece *add_piece(Reader *reader, int kind, Span span) {
    const char *text = parse_text(reader->parse, span);
    uint32_t length = span.end - span.begin;
    int lines = reader->lines > reader->lines_kept ? reader->lines : reader->lines_kept;
    Piece piece = {.kind = kind,
                   .text = text,
                   .length = length,
                   .width = columns_of(text, length),
                   .lines = lines < 2 ? lines : 2,
                   .parent = NO_PIECE,
                   .partner = NO_PIECE,
                   .head = NO_PIECE};
    Formatter *formatter = reader->formatter;
    VEC_PUSH(formatter->arena, &formatter->pieces, piece);
    reader->lines = reader->lines_kept = 0;
    return &formatter->pieces.data[formatter->pieces.count - 1];
}

static void keep_lines(Reader *reader) {
    if (reader->lines > reader->lines_kept)
        reader->lines_kept = reader->lines;
    reader->lines = 0;
}

/* The comment that begins at `begin`, without blanks at its end. Where it ends. */
static uint32_t add_comment(Reader *reader, uint32_t begin, uint32_t limit) {
    const char *text = parse_text(reader->parse, (Span){begin, begin});
    uint32_t length = 0;
    while (begin + length < limit && text[length] != '\n' && text[length] != '\r')
        length++;
    uint32_t shown = length;
    while (text[shown - 1] == ' ' || text[shown - 1] == '\t')
        shown--;
    add_piece(reader, PIECE_COMMENT, (Span){begin, begin + shown});
    return begin + length;
}

/* What stands between two tokens. */
static void add_gap(Reader *reader, uint32_t begin, uint32_t end) {
    for (uint32_t at = begin; at < end;) {
        const char *text = parse_text(reader->parse, (Span){at, at});
        if (*text == '#') {
            at = add_comment(reader, at, end);
            continue;
        }
        bool crlf = text[0] == '\r' && at + 1 < end && text[1] == '\n';
        if (*text == '\n' || *text == '\r')
            reader->lines++;
        at += crlf ? 2 : 1;
    }
}

/* Moves the last piece before the comments in front of it. */
static void move_before_comments(Formatter *formatter) {
    Piece *pieces = formatter->pieces.data;
    size_t at = formatter->pieces.count - 1;
    Piece moved = pieces[at];
    if (at == 0 || pieces[at - 1].kind != PIECE_COMMENT)
        return;
    for (; at > 0 && pieces[at - 1].kind == PIECE_COMMENT; at--)
        pieces[at] = pieces[at - 1];
    moved.lines = 0;
    pieces[at] = moved;
}

/* A comma before a closing bracket is needless where that follows on the same line. */
static void drop_last_comma(Reader *reader, uint32_t opening) {
    Formatter *formatter = reader->formatter;
    size_t last = formatter->pieces.count - 1;
    if (formatter->pieces.data[last].kind == TOKEN_COMMA && !piece_hangs(formatter, opening))
        formatter->pieces.count = last;
}

static void add_token(Reader *reader, const Token *token) {
    Formatter *formatter = reader->formatter;
    if (reader->arrow.end != 0) {
        add_piece(reader, TOKEN_ARROW, reader->arrow);
        reader->arrow = SPAN_NONE;
    }
    bool closes = piece_closes(&(Piece){.kind = token->kind});
    if (closes)
        drop_last_comma(reader, reader->open[--reader->open_count]);
    Piece *piece = add_piece(reader, token->kind, token->span);
    piece->begins = reader->begins && !closes;
    if (token->kind == TOKEN_LEFT_BRACE)
        piece->body = reader->parse->brackets[reader->parse->bracket_count - 1].body;
    reader->begins = piece->body;
    if (token->kind == TOKEN_COMMA || token->kind == TOKEN_LEFT_BRACE)
        move_before_comments(formatter);
}

/* Notes the place of the opening bracket that was added last; comments may stand behind it. */
static void open_last(Reader *reader) {
    uint32_t at = (uint32_t)reader->formatter->pieces.count - 1;
    while (reader->formatter->pieces.data[at].kind == PIECE_COMMENT)
        at--;
    reader->open[reader->open_count++] = at;
}

static void read_token(Reader *reader, const Token *token) {
    add_gap(reader, reader->end, token->span.begin);
    reader->end = token->span.end;
    if (token->kind == TOKEN_END_OF_FILE)
        return;
    if (token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_ARROW)
        keep_lines(reader);
    if (token->kind == TOKEN_SEMICOLON) {
        reader->begins = true;
    } else if (token->kind == TOKEN_ARROW) {
        reader->arrow = token->span;
    } else {
        add_token(reader, token);
        if (piece_opens(&(Piece){.kind = token->kind}))
            open_last(reader);
    }
}

/* ---- structure ------------------------------------------------------------------------------ */

typedef struct Nesting {
    int depth;
    int statement; /* the token that the statement begins with */
    int before;    /* the token before, -1 at the start */
    uint32_t open[PARSE_MAX_BRACKETS];
    uint32_t heads[PARSE_MAX_BRACKETS + 1]; /* of the last `if` on each level */
    uint32_t else_head;                     /* of the `else` just before, NO_PIECE: none */
} Nesting;

static void relate_choice(Nesting *nesting, Piece *piece, uint32_t at) {
    if (piece->kind == TOKEN_IF) {
        piece->head = nesting->before == TOKEN_ELSE ? nesting->else_head : at;
        nesting->heads[nesting->depth] = piece->head;
    } else if (piece->kind == TOKEN_ELSE) {
        piece->head = nesting->else_head = nesting->heads[nesting->depth];
    }
}

static void relate(Formatter *formatter, Nesting *nesting, uint32_t at) {
    Piece *piece = &formatter->pieces.data[at];
    bool closes = piece_closes(piece);
    if (closes) {
        piece->partner = nesting->open[--nesting->depth];
        formatter->pieces.data[piece->partner].partner = at;
    }
    piece->depth = nesting->depth;
    piece->first =
        at > 0 && (piece_opens(piece - 1) || (piece[-1].kind == PIECE_COMMENT && piece[-1].first));
    if (nesting->depth > 0)
        piece->parent = nesting->open[nesting->depth - 1];
    if (piece->kind == PIECE_COMMENT)
        return;
    if (piece->begins)
        nesting->statement = piece->kind;
    bool item = nesting->statement == TOKEN_NETWORK || nesting->statement == TOKEN_BLOCK;
    const Piece *parent = piece->parent == NO_PIECE ? NULL : &formatter->pieces.data[piece->parent];
    piece->header = item && !parent;
    piece->unary = piece->kind == TOKEN_MINUS && !token_in(nesting->before, token_value_ends());
    bool argument = nesting->statement == TOKEN_WEIGHTS ||
                    (parent && parent->kind == TOKEN_LEFT_PAREN && !parent->header);
    piece->named = piece->kind == TOKEN_ASSIGN && argument;
    relate_choice(nesting, piece, at);
    if (piece_opens(piece))
        nesting->open[nesting->depth++] = at;
    nesting->before = piece->kind;
}

void format_read(Formatter *formatter, Parse *parse) {
    Reader reader = {
        .formatter = formatter, .parse = parse, .end = parse->source->base, .begins = true};
    parse_begin(parse);
    NET_STYPE value;
    Span span;
    do {
        net_lex(&value, &span, parse);
        if (parse->current.kind == TOKEN_NEWLINE)
            reader.begins = true;
        else
            read_token(&reader, &parse->current);
    } while (parse->current.kind != TOKEN_END_OF_FILE);
    parse_end(parse);
    Nesting nesting = {.before = -1, .statement = -1};
    for (uint32_t i = 0; i < formatter->pieces.count; i++)
        relate(formatter, &nesting, i);
    uint32_t token = NO_PIECE;
    for (uint32_t i = (uint32_t)formatter->pieces.count; i-- > 0;) {
        Piece *piece = &formatter->pieces.data[i];
        token = piece->kind == PIECE_COMMENT ? token : i;
        piece->token = token;
    }
}

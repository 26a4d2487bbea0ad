/* The passes of the formatter, and the text that they make. */
#include "syntax/format.h"

#include "syntax/formatter.h"

static void print_line(const Formatter *formatter, const Line *line, StrBuf *out) {
    const Piece *pieces = formatter->pieces.data;
    if (pieces[line->begin].lines > 1)
        strbuf_add_char(out, '\n');
    uint32_t column = 0;
    for (uint32_t i = line->begin; i < line->end; i++) {
        strbuf_fill(out, ' ', pieces[i].column - column);
        strbuf_add_bytes(out, pieces[i].text, pieces[i].length);
        column = pieces[i].column + pieces[i].width;
    }
    strbuf_add_char(out, '\n');
}

void format_source(Arena *arena, Intern *intern, Diagnostics *diagnostics, const Source *source,
                   StrBuf *out) {
    Parse parse = {.arena = arena, .intern = intern, .diagnostics = diagnostics, .source = source};
    Formatter formatter = {.arena = arena};
    format_read(&formatter, &parse);
    format_break(&formatter);
    format_lines(&formatter);
    format_align(&formatter);
    for (size_t i = 0; i < formatter.lines.count; i++)
        print_line(&formatter, &formatter.lines.data[i], out);
}

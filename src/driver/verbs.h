/* The verbs of the program that have a file of their own, and what verbs write. Private to
 * src/driver/. Each takes a compilation and the command line; false where the work cannot go on. */
#ifndef NETC_DRIVER_VERBS_H
#define NETC_DRIVER_VERBS_H

#include "driver/options.h"
#include "support/failure.h"

/* outputs.c: the object, its header and, in extern mode, the packed weights. */
bool outputs_write_object(Compilation *compilation, const Options *options);
/* The main output as text: -o FILE, or standard output. */
bool outputs_write_text(Compilation *compilation, const Options *options, const StrBuf *text);

/* version.c: what --version prints. */
void version_text(Arena *arena, const Options *options, StrBuf *out);
void version_json(Arena *arena, const Options *options, StrBuf *out);

/* crash.c: says that the work failed (support/failure.h), and writes what --crash-dir asks for. The
 * exit status. */
int crash_report(const Compilation *compilation, const Options *options, const Failure *failure);

/* fix.c: `netc check --fix`: true if a file was changed, so that what was found no longer holds. */
bool fixes_apply(Compilation *compilation, const Options *options);

/* messages.c: sorts the diagnostics and writes them to standard error, and to a file, as the
 * options say; when the outputs are committed or abandoned. */
void messages_show(Compilation *compilation, const Options *options);

/* run.c: `netc run`: executes the network and shows, writes or compares the results. */
bool run_network(Compilation *compilation, const Options *options);

/* bench.c: `netc bench`: times the network in this process. */
bool bench_network(Compilation *compilation, const Options *options);

/* solve.c: `netc solve`. The source has been read. */
bool solve(Compilation *compilation, const Options *options);

/* format_files.c: `netc format`. */
bool format_files(Compilation *compilation, const Options *options);

#endif

/* What a signal must not leave behind: temporary files are noted here while they exist.
 *
 * cleanup_install is for the program: it makes the signals that end a process remove what is
 * noted, after which the process still dies by that signal, and exit() remove it too. Without it
 * the list is kept but nobody acts on it, so that a library leaves its host's signals alone.
 *
 * The list is process-wide, the one such state in netc: a signal handler has no arguments of ours,
 * and the signal ends the whole process, not one compilation. */
#ifndef NETC_SUPPORT_CLEANUP_H
#define NETC_SUPPORT_CLEANUP_H

#include <signal.h>

/* Once, at the start of the program. Signals that are ignored (nohup) stay ignored. */
void cleanup_install(void);

/* Between these two the ending signals wait, so that making or renaming a file and noting it are
 * one act. `before` takes the mask to go back to. */
void cleanup_hold(sigset_t *before);
void cleanup_resume(const sigset_t *before);

/* Notes a file. The text must stay until it is forgotten. */
void cleanup_add(const char *path);

/* Takes back what was noted with the very same pointer. */
void cleanup_forget(const char *path);

#endif

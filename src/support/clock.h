#ifndef NETC_SUPPORT_CLOCK_H
#define NETC_SUPPORT_CLOCK_H

/* Seconds since some moment, by a clock that only goes forward. */
double clock_seconds(void);

#endif

/*
 * record/level.h - severities.
 * One job: put every notation of severity on one scale.
 * Floor: 1 (uses base).
 */
#pragma once

#include "base/str.h"

/* syslog's scale, most severe first, plus trace. */
enum severity {
	SEVERITY_EMERG,
	SEVERITY_ALERT,
	SEVERITY_CRIT,
	SEVERITY_ERR,
	SEVERITY_WARNING,
	SEVERITY_NOTICE,
	SEVERITY_INFO,
	SEVERITY_DEBUG,
	SEVERITY_TRACE,
	SEVERITY_UNKNOWN, /* no known notation */
};

/**
 * level_severity(s):
 * The severity that ${s} names, in any case: names and their common short and long forms (warn, error,
 * fatal, panic, critical, E, W, information, …), syslog and journald priorities 0 to 7, and the numbers of
 * bunyan and pino (10 to 60).
 */
enum severity level_severity(struct str s);

/** level_priority_name(p): emerg alert crit err warning notice info debug for 0 to 7, else NULL. */
const char *level_priority_name(int p);

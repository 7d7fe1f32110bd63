/*
 * record/level.c - severities.
 * One job: put every notation of severity on one scale.
 * Floor: 1 (uses base).
 */
#include "record/level.h"

#include "base/own.h"

static const struct notation {
	struct str name; /* lower case */
	enum severity severity;
} notations[] = {
	{ STR_INIT("info"), SEVERITY_INFO },
	{ STR_INIT("debug"), SEVERITY_DEBUG },
	{ STR_INIT("warn"), SEVERITY_WARNING },
	{ STR_INIT("warning"), SEVERITY_WARNING },
	{ STR_INIT("error"), SEVERITY_ERR },
	{ STR_INIT("err"), SEVERITY_ERR },
	{ STR_INIT("notice"), SEVERITY_NOTICE },
	{ STR_INIT("trace"), SEVERITY_TRACE },
	{ STR_INIT("crit"), SEVERITY_CRIT },
	{ STR_INIT("critical"), SEVERITY_CRIT },
	{ STR_INIT("fatal"), SEVERITY_CRIT },
	{ STR_INIT("alert"), SEVERITY_ALERT },
	{ STR_INIT("emerg"), SEVERITY_EMERG },
	{ STR_INIT("emergency"), SEVERITY_EMERG },
	{ STR_INIT("panic"), SEVERITY_EMERG },
	{ STR_INIT("information"), SEVERITY_INFO },
	{ STR_INIT("informational"), SEVERITY_INFO },
	{ STR_INIT("severe"), SEVERITY_ERR },
	{ STR_INIT("dbg"), SEVERITY_DEBUG },
	{ STR_INIT("inf"), SEVERITY_INFO },
	{ STR_INIT("wrn"), SEVERITY_WARNING },
	{ STR_INIT("verbose"), SEVERITY_TRACE },
	{ STR_INIT("fine"), SEVERITY_DEBUG },
	{ STR_INIT("finer"), SEVERITY_TRACE },
	{ STR_INIT("finest"), SEVERITY_TRACE },
	{ STR_INIT("i"), SEVERITY_INFO },
	{ STR_INIT("d"), SEVERITY_DEBUG },
	{ STR_INIT("w"), SEVERITY_WARNING },
	{ STR_INIT("e"), SEVERITY_ERR },
	{ STR_INIT("f"), SEVERITY_CRIT },
	{ STR_INIT("c"), SEVERITY_CRIT },
	{ STR_INIT("n"), SEVERITY_NOTICE },
	{ STR_INIT("t"), SEVERITY_TRACE },
	{ STR_INIT("v"), SEVERITY_TRACE },
};

/* bunyan and pino: trace 10, debug 20, info 30, warn 40, error 50, fatal 60; between them the lower. */
static enum severity
severity_of_tens(unsigned tens)
{
	static const enum severity by_tens[] = { SEVERITY_UNKNOWN, SEVERITY_TRACE, SEVERITY_DEBUG,
		SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERR, SEVERITY_CRIT };

	return tens < ARRAY_LEN(by_tens) ? by_tens[tens] : SEVERITY_UNKNOWN;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

enum severity
level_severity(struct str s)
{
	size_t i;

	if (s.n == 1 && s.p[0] >= '0' && s.p[0] <= '7')
		return (enum severity)(s.p[0] - '0');
	if (s.n == 2 && is_digit(s.p[0]) && is_digit(s.p[1]))
		return severity_of_tens((unsigned)(s.p[0] - '0'));
	for (i = 0; i < ARRAY_LEN(notations); i++)
		if (str_eq_nocase(s, notations[i].name))
			return notations[i].severity;
	return SEVERITY_UNKNOWN;
}

const char *
level_priority_name(int p)
{
	static const char *const names[] = { "emerg", "alert", "crit", "err", "warning", "notice",
		"info", "debug" };

	return p >= 0 && p < (int)ARRAY_LEN(names) ? names[p] : NULL;
}

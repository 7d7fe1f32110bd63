/*
 * logsql/value_type.c - value_type.
 * One job: the names of the ways that values are stored.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"
#include "logsql/value.h"

static const char *
uint_type(uint64_t max)
{
	return max <= UINT8_MAX ? "uint8"
	    : max <= UINT16_MAX ? "uint16"
	    : max <= UINT32_MAX ? "uint32"
	                        : "uint64";
}

const char *
value_type_name(struct str value)
{
	uint64_t u;
	int64_t i;
	uint32_t ip;
	double d;

	if (value.n == 0)
		return "";
	if (value_uint(value, &u))
		return uint_type(u);
	if (value_int(value, &i))
		return "int64";
	if (value_float(value, &d))
		return "float64";
	if (value_ipv4(value, &ip))
		return "ipv4";
	if (value_time(value, &i))
		return "iso8601";
	return "string";
}

static const char *
int_type(const struct column *c)
{
	uint64_t max = 0;
	size_t i;

	if (c->scale != 0)
		return "float64";
	for (i = 0; i < c->n_rows; i++) {
		if (c->present != NULL && !bits_get(c->present, i))
			continue;
		if (c->ints[i] < 0)
			return "int64";
		if ((uint64_t)c->ints[i] > max)
			max = (uint64_t)c->ints[i];
	}
	return uint_type(max);
}

const char *
column_type_name(const struct column *c)
{
	switch (c->kind) {
	case COLUMN_CONST:
		return c->value.n != 0 ? "const" : "";
	case COLUMN_DICT:
		return "dict";
	case COLUMN_INT:
		return int_type(c);
	case COLUMN_TIME:
		return "time";
	case COLUMN_TEXT:
	case COLUMN_STRS:
		return "string";
	}
	return "";
}

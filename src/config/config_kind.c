/*
 * config/config_kind.c - which file this is.
 * One job: tell a configuration from rules and routing, by its outermost keys.
 * Floor: 5 (uses doc, base).
 */
#include "config/config.h"
#include "doc/keys.h"

enum config_kind
config_kind(struct str text)
{
	static const char *const keys[] = { "groups", "route", "receivers" };
	size_t i = keys_first(text, keys, ARRAY_LEN(keys));

	if (i == ARRAY_LEN(keys))
		return CONFIG_KIND_OWN;
	return i == 0 ? CONFIG_KIND_RULES : CONFIG_KIND_ROUTING;
}

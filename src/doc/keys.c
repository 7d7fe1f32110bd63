/*
 * doc/keys.c - what a YAML file is about.
 * One job: find the first of some names among the keys of the outermost mapping.
 * Floor: 1 (uses base).
 */
#include "doc/keys.h"

#include <yaml.h>

struct scan {
	unsigned depth;
	bool is_key; /* of the outermost mapping, what comes next is a key */
	const char *const *names;
	size_t n;
	size_t found; /* n: nothing yet */
};

static void
scalar(struct scan *s, struct str text)
{
	size_t i;

	if (s->depth != 1)
		return;
	for (i = 0; s->is_key && i < s->n; i++)
		if (str_eq_c(text, s->names[i]))
			s->found = i;
	s->is_key = !s->is_key;
}

/* True: that was enough. */
static bool
take(struct scan *s, const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT) {
		/* A text alone is no mapping. */
		if (s->depth == 0)
			return true;
		scalar(s, str_of(e->data.scalar.value, e->data.scalar.length));
	} else if (e->type == YAML_ALIAS_EVENT) {
		scalar(s, STR_NONE);
	} else if (e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT) {
		if (s->depth++ == 0)
			s->is_key = true;
		if (s->depth == 1 && e->type == YAML_SEQUENCE_START_EVENT)
			return true;
	} else if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT) {
		s->depth--;
		if (s->depth == 1)
			s->is_key = !s->is_key;
	}
	return s->found < s->n || e->type == YAML_STREAM_END_EVENT;
}

size_t
keys_first(struct str text, const char *const *names, size_t n)
{
	struct scan s = { .names = names, .n = n, .found = n };
	yaml_parser_t parser;
	yaml_event_t event;
	bool done = false;

	if (yaml_parser_initialize(&parser) == 0)
		return n;
	yaml_parser_set_input_string(&parser, text.p != NULL ? text.p : (const uint8_t *)"",
	    text.n);
	while (!done && yaml_parser_parse(&parser, &event) != 0) {
		done = take(&s, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return s.found;
}

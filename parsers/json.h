/*
 * parsers/json.h - JSON lines.
 * One job: the fields of one JSON object, by our own scanner.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "parsers/gather.h"
#include "parsers/json_index.h"

enum {
	JSON_DEPTH_MAX = 512,    /* objects and arrays inside each other */
	JSON_NAMES_MIN = 4096,   /* bytes of dotted names that any record may have … */
	JSON_NAMES_PER_BYTE = 4, /* … and so many more for each byte of its line */
};

struct json_keys;

/* The scanner's variant, its index, and the keys that it met lately, reused from line to line. */
struct json_scanner {
	json_index_fn index;
	uint64_t *bits;
	size_t n_words;
	struct json_keys *keys; /* NULL: none are remembered */
};

void json_scanner_init(struct json_scanner *js);
void json_scanner_fini(struct json_scanner *js);
/** json_scanner_remember(js): remember keys from now on; pays for many lines alike.  Without memory it does not. */
void json_scanner_remember(struct json_scanner *js);

/**
 * json_gather(js, s, g):
 * Add the members of object ${s} to ${g}: nested objects with dotted names, arrays and empty objects as
 * their text, numbers digit for digit, strings unescaped.
 *
 * Errors: PARSE_E_SYNTAX (g->error says what and where), -ENOMEM.
 * Source: RFC 8259; lone surrogates are kept as three bytes each, bytes that are no UTF-8 as they are.
 */
int json_gather(struct json_scanner *js, struct str s, struct gather *g);

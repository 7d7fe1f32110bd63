/*
 * parsers/parser_internal.h - what the formats share.
 * One job: the table of formats, and the parser's state between lines.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "parsers/gather.h"
#include "parsers/json.h"
#include "parsers/parser.h"

/* What a format has beside the line. */
struct context {
	struct gather g;
	struct moment moment;
	struct json_scanner json;
	struct wall received;
	bool as_is;
	struct field small[GATHER_SMALL];
};

/*
 * One format: fields of ${line} into c->g.
 * Errors: PARSE_E_SYNTAX (the line is kept as it is; c->g.error may say why), -ENOMEM.
 */
typedef int (*format_fn)(struct context *c, struct str line);

int format_json(struct context *c, struct str line);
int format_plain(struct context *c, struct str line);
int format_auto(struct context *c, struct str line);

/* One event: a line, or the lines of a group. */
struct event {
	struct str head; /* the first line, which has the form */
	struct str more; /* the lines behind it, without the newline between, or empty */
	struct str line; /* as it stood, for record.line */
	struct wall received;
	bool timed; /* a container's wrapping gave time */
	struct wall time;
	struct str where; /* and stdout or stderr */
};

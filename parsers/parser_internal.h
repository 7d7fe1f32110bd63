/*
 * parsers/parser_internal.h - what the formats share.
 * One job: the parser's state, and what one format is.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "parsers/gather.h"
#include "parsers/json.h"
#include "parsers/multiline.h"
#include "parsers/parser.h"
#include "parsers/regex.h"

/* What a format has beside the line. */
struct context {
	struct gather g;
	struct moment moment;
	struct json_scanner json;
	struct wall received;
	struct regex *pattern; /* NULL but for the format pattern */
	struct field small[GATHER_SMALL];
};

/*
 * One format: fields of ${line} into c->g.
 * Errors: PARSE_E_SYNTAX (the line is kept as it is; c->g.error may say why), -ENOMEM.
 */
typedef int (*format_fn)(struct context *c, struct str line);

int format_access(struct context *c, struct str line);
int format_auto(struct context *c, struct str line);
int format_json(struct context *c, struct str line);
int format_logfmt(struct context *c, struct str line);
int format_pattern(struct context *c, struct str line);
int format_plain(struct context *c, struct str line);
int format_syslog(struct context *c, struct str line);

enum {
	GROUP_BYTES_MAX =
	    1 << 20, /* of a joined line or an event of lines; then it goes out as a part */
	GROUPS = 3,  /* lines without a wrapping, stdout, stderr */
	GROUP_TIMEOUT_S = 5,
};

/* One event: a line, or the lines of a group. */
struct event {
	struct str head; /* the first line, which has the form */
	struct str text; /* all lines; begins with head */
	struct str line; /* as it stood, for record.line */
	struct wall received;
	bool timed; /* a container's wrapping gave time */
	bool partial;
	struct wall time;
	struct str where; /* and stdout or stderr */
	const struct field *extra;
	size_t n_extra;
};

/*
 * Lines that belong together, of one stream: parts of a split line, then lines of one event.
 * Invariants: has_part iff part is being joined; open iff text holds an event, of which the first line
 * is head_n bytes; part and text are at most GROUP_BYTES_MAX each.
 */
struct group {
	struct buf part;
	struct buf text;
	size_t head_n;
	bool has_part;
	bool open;
	bool part_timed;
	bool timed;
	struct wall part_time, part_received;
	struct wall time, received;
	struct wall touched; /* when the last line came */
	enum trace trace;
};

struct parser {
	struct context c;
	format_fn format;
	bool docker; /* open this wrapping */
	bool cri;
	bool keep_line;
	uint64_t message_layout;     /* of lines that are their message and nothing else */
	bool began;                  /* a line was seen: no byte order mark any more */
	struct multiline *multiline; /* NULL: each line is an event */
	struct span timeout;
	struct group groups[GROUPS];
};

/** parser_event(p, e, out): the record of one event. */
int parser_event(struct parser *p, const struct event *e, struct record_batch *out);

/*
 * config/config.h - weir.yaml.
 * One job: the configuration file as structs, or every mistake in it with its place.
 * Floor: 5 (uses logsql, parsers, base).
 *
 * Strings live in the configuration's own arena.  Durations and sizes are written as Prometheus writes them (5m, 30d,
 * 64MiB).  Unknown keys are mistakes, with "did you mean".
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/wall.h"

struct config_keep {
	struct str match; /* LogsQL filter */
	struct span keep;
};

/** config_kind(text): what a file is, by its outermost keys; one of its own when that cannot be told. */
enum config_kind { CONFIG_KIND_OWN, CONFIG_KIND_RULES, CONFIG_KIND_ROUTING };
enum config_kind config_kind(struct str text);

struct config_redact {
	struct str pattern; /* PCRE2 */
	struct str with;
};

struct config_pair {
	struct str name;
	struct str value; /* stream: empty means "take the field of that name" */
};

enum config_from {
	CONFIG_FROM_BOOT,
	CONFIG_FROM_BEGINNING,
	CONFIG_FROM_NOW,
	CONFIG_FROM_END,
	CONFIG_FROM_TIME
};

/* One entry of inputs: a journal or a set of files. */
struct config_input {
	bool is_journal;
	unsigned line; /* where it stands in the file, 1-based */

	/* journal */
	enum config_from from;
	struct wall from_time;
	struct str *units;
	size_t n_units;
	struct str dir; /* path: another journal's folder */
	struct str *exclude;
	size_t n_exclude; /* journal fields left out; a '*' at the end is a prefix */

	/* files */
	struct str *paths;
	size_t n_paths;
	struct span rescan;     /* 0: default */
	struct span close_idle; /* 0: default */
	uint64_t max_line;      /* 0: default */
	bool archives; /* read rotated .gz/.zst/.xz siblings missed while stopped; default true */

	/* both */
	struct str parser;    /* empty: auto */
	struct str pattern;   /* for parser: pattern */
	struct str multiline; /* java, python, go, custom, or empty */
	struct str start, continuation;
	struct span group_timeout;
	bool zone_set;
	int zone_s; /* zone: +02:00, UTC, or local */
	struct config_pair *stream;
	size_t n_stream;
	struct config_pair *fields;
	size_t n_fields;
	struct str drop; /* LogsQL filter, or empty */
	struct config_redact *redact;
	size_t n_redact;
};

enum config_auth { CONFIG_AUTH_TOKEN, CONFIG_AUTH_NONE };

struct config {
	struct str path; /* of the file; empty when there is none */
	struct {
		struct str path;
		struct span retention, commit_interval, keep_floor, seal_age;
		uint64_t max_bytes, seal_bytes;
		unsigned min_free_percent;
		struct config_keep *keep;
		size_t n_keep;
		struct str
		    group; /* who may read the store and ask the socket; empty: the folder's own */
	} store;
	struct {
		bool on;
		struct str listen; /* address:port */
		enum config_auth auth;
	} http;
	struct config_input *inputs;
	size_t n_inputs;
	struct str *ids; /* names of ID fields; none: the built-in ones */
	size_t n_ids;
	struct str *rules; /* globs */
	size_t n_rules;
	struct str alerting; /* path of Alertmanager's configuration */
	struct str secrets;  /* folder */
	struct arena arena;
};

enum { CONFIG_E_BAD = 1 };

/**
 * config_default(ret):
 * What holds without a file: the journal from boot, the store's default limits.
 */
int config_default(struct config **ret);

/**
 * config_load(path, ret, ret_errors):
 * Read and check a file.  Each mistake is a line "file:line:column: what, what was expected" in ${ret_errors}.
 * LogsQL filters, patterns, parsers and times are checked too, so that what loads also starts.
 *
 * Errors: CONFIG_E_BAD (${ret_errors} says all), -errno (the file could not be read; said too).
 */
int config_load(const char *path, struct config **ret, struct buf *ret_errors);

/** config_parse(name, text, ret, ret_errors): the same for bytes in memory; ${name} stands in the messages. */
int config_parse(const char *name, struct str text, struct config **ret, struct buf *ret_errors);

struct config *config_free(struct config *c);
DEFINE_AUTO(struct config *, config_free)

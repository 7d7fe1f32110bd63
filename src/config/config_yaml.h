/*
 * config/config_yaml.h - YAML under a table of keys.
 * One job: walk a document by tables, and say of each mistake where it stands and what was expected.
 * Floor: 5 (uses logsql, parsers, base).  Shared by the config*.c files of this room.
 */
#pragma once

#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/wall.h"

/* One walk of one document.  Mistakes are lines in errors; the walk goes on after each. */
struct config_walk {
	const char *name; /* of the file, for messages */
	yaml_document_t *doc;
	struct arena *arena;
	struct buf *errors;
	size_t n_errors;
};

enum config_type {
	CONFIG_STR,     /* struct str */
	CONFIG_SPAN,    /* struct span, above 0 */
	CONFIG_SIZE,    /* uint64_t bytes, above 0 */
	CONFIG_PERCENT, /* unsigned, 0 to 100 */
	CONFIG_BOOL,    /* bool */
	CONFIG_STRS,    /* struct str *, size_t right behind it; a single scalar is a list of one */
	CONFIG_CALL,    /* call(walk, node, base) */
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset; /* of the member in the struct that is filled in */
	void (*call)(struct config_walk *w, yaml_node_t *node, void *base);
};

enum { CONFIG_ERRORS_MAX = 100, CONFIG_LIST_MAX = 10000 };

/** config_bad(w, node, fmt, …): one mistake at ${node}. */
void config_bad(struct config_walk *w, const yaml_node_t *node, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/** config_map(w, node, keys, n, base): fill ${base} from a mapping; unknown and repeated keys are mistakes. */
void config_map(struct config_walk *w, yaml_node_t *node, const struct config_key *keys, size_t n,
    void *base);

/**
 * config_list(w, node, item_size, ret_items, each):
 * A sequence as an array of zeroed items in the arena, each filled by ${each}.  Returns their number.
 */
size_t config_list(struct config_walk *w, yaml_node_t *node, size_t item_size, void **ret_items,
    void (*each)(struct config_walk *w, yaml_node_t *node, void *item));

/** config_scalar(w, node, ret): a scalar's text in the arena; a mistake and false when it is none. */
bool config_scalar(struct config_walk *w, yaml_node_t *node, struct str *ret);

/** config_pairs(w, node, fn, base): each key and value node of a mapping. */
typedef void (*config_pair_fn)(struct config_walk *w, struct str key, yaml_node_t *key_node,
    yaml_node_t *value, void *base);
void config_pairs(struct config_walk *w, yaml_node_t *node, config_pair_fn fn, void *base);

/** config_size_parse(s, ret): 10GiB, 64MiB, 500MB, 1024; false when it is none. */
bool config_size_parse(struct str s, uint64_t *ret);

/** config_nearest(word, names, n): the name nearest to ${word} by edit distance, or NULL when none is near.
 * Shapes: names are the first members of items of ${stride} bytes. */
const char *config_nearest(struct str word, const void *names, size_t n, size_t stride);

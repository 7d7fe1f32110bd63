/*
 * doc/walk.h - YAML under a table of keys.
 * One job: walk a document by tables, and say of each mistake where it stands and what was expected.
 * Floor: 1 (uses base).  weir.yaml, rule files and alertmanager.yml are read with it.
 */
#pragma once

#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/wall.h"

/* One walk of one document.  Mistakes are lines in errors; the walk goes on after each. */
struct walk {
	const char *name; /* of the file, for messages */
	yaml_document_t *doc;
	struct arena *arena;
	struct buf *errors;
	size_t n_errors;
};

enum walk_type {
	WALK_STR,     /* struct str */
	WALK_SPAN,    /* struct span, above 0 */
	WALK_SIZE,    /* uint64_t bytes, above 0 */
	WALK_PERCENT, /* unsigned, 0 to 100 */
	WALK_BOOL,    /* bool */
	WALK_STRS,    /* struct str *, size_t right behind it; a single scalar is a list of one */
	WALK_CALL,    /* call(walk, node, base) */
};

struct walk_key {
	const char *name;
	enum walk_type type;
	size_t offset; /* of the member in the struct that is filled in */
	void (*call)(struct walk *w, yaml_node_t *node, void *base);
};

enum { WALK_ERRORS_MAX = 100, WALK_LIST_MAX = 10000 };

/** walk_bad(w, node, fmt, …): one mistake at ${node}. */
void walk_bad(struct walk *w, const yaml_node_t *node, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** walk_map(w, node, keys, n, base): fill ${base} from a mapping; unknown and repeated keys are mistakes. */
void walk_map(struct walk *w, yaml_node_t *node, const struct walk_key *keys, size_t n, void *base);

/**
 * walk_list(w, node, item_size, ret_items, each):
 * A sequence as an array of zeroed items in the arena, each filled by ${each}.  Returns their number.
 */
size_t walk_list(struct walk *w, yaml_node_t *node, size_t item_size, void **ret_items,
    void (*each)(struct walk *w, yaml_node_t *node, void *item));

/** walk_scalar(w, node, ret): a scalar's text in the arena; a mistake and false when it is none. */
bool walk_scalar(struct walk *w, yaml_node_t *node, struct str *ret);

/** walk_pairs(w, node, fn, base): each key and value node of a mapping. */
typedef void (*walk_pair_fn)(struct walk *w, struct str key, yaml_node_t *key_node,
    yaml_node_t *value, void *base);
void walk_pairs(struct walk *w, yaml_node_t *node, walk_pair_fn fn, void *base);

/** walk_size_parse(s, ret): 10GiB, 64MiB, 500MB, 1024; false when it is none. */
bool walk_size_parse(struct str s, uint64_t *ret);

/** walk_nearest(word, names, n): the name nearest to ${word} by edit distance, or NULL when none is near.
 * Shapes: names are the first members of items of ${stride} bytes. */
const char *walk_nearest(struct str word, const void *names, size_t n, size_t stride);

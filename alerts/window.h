/*
 * alerts/window.h - a window that slides.
 * One job: partial results by panes of event time, merged into the window's result at a cost that is not the window's length.
 * Floor: 4 (uses query, base).
 *
 * Pane k holds rows with _time in (k * pane, (k + 1) * pane], from an offset on; a window is n of them.  K panes (the
 * root of n) are a chunk.  A window that ends with pane b and begins with pane a is
 *
 *   suffix of a's chunk from a on  +  whole chunks between  +  prefix of b's chunk up to b
 *
 * Suffixes are made once for each chunk that the window's beginning enters, the prefix grows by the pane, and what lies between is
 * merged anew when either end enters a chunk: about four merges a pane, whatever n is.  (The idea of two stacks, Tangwongsan,
 * Hirzel and Schneider 2015, on two floors, so that no pane carries the groups of all that follow.)  A pane that changes after it
 * was merged is added to each of the three that has it.
 */
#pragma once

#include "base/wall.h"
#include "query/stats_partial.h"

/* A pane, or a chunk of them: its number and its bytes (stats_partial.h). */
struct pane {
	int64_t number;
	uint8_t *p;
	size_t n;
};

/* Invariants: v[first..n) ascend by number and are not empty. */
struct panes {
	struct pane *v;
	size_t first, n, cap;
};

struct window {
	struct partial partial;
	int64_t pane_ns, offset_ns;
	int64_t n_panes, per_chunk;
	struct panes panes, chunks; /* chunks: totals of those that lie between */
	struct pane *suffixes;      /* per_chunk of them; of chunk head */
	int64_t head, head_from;    /* chunk; the first pane that suffixes are made for */
	bool has_head, has_middle;
	struct pane middle; /* of chunks (middle_from, middle_to) */
	int64_t middle_from, middle_to;
	struct pane prefix; /* number: its chunk */
	int64_t prefix_end; /* panes of the chunk below it are in */
	uint64_t n_bytes;   /* all memory that is held */
	struct buf work;
};

enum { WINDOW_PANES_MAX = 100000 };

/** window_init(w, partial, window, step, offset): panes as long as the greatest common part of window and step.  False when
 * there would be more than WINDOW_PANES_MAX. */
bool window_init(struct window *w, const struct partial *partial, struct span window,
    struct span step, struct span offset);
void window_fini(struct window *w);
/** window_clear(w): forget all rows. */
void window_clear(struct window *w);

/** window_pane(w, t): the pane that time ${t} falls into.  window_first(w, last): the first pane of the window that ends with
 * pane ${last}. */
int64_t window_pane(const struct window *w, struct wall t);
static inline int64_t
window_first(const struct window *w, int64_t last)
{
	return last - w->n_panes + 1;
}
/** window_start(w, pane): rows of the pane are after it. */
struct wall window_start(const struct window *w, int64_t pane);

/** window_add(w, pane, bytes): more rows of a pane. */
int window_add(struct window *w, int64_t pane, struct str bytes);

/** window_get(w, last, out): append the merged bytes of the window that ends with pane ${last}. */
int window_get(struct window *w, int64_t last, struct buf *out);

/** window_drop(w, first): panes before ${first} are not needed any more. */
void window_drop(struct window *w, int64_t first);

/** window_each(w, fn, ctx): the bytes of everything held, which fn may replace: *ret is malloc'ed or NULL for as they are. */
typedef int (*window_fn)(void *ctx, struct str bytes, struct buf *ret);
int window_each(struct window *w, window_fn fn, void *ctx);

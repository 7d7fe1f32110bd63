/*
 * store/segment.h - the segment as it is read.
 * One job: the shape of a segment file: its header, what is known of its blocks, and how that is loaded.
 * Floor: 2 (uses record, base).  Room-internal.
 */
#pragma once

#include "record/record.h"
#include "store/block.h"
#include "store/frame.h"
#include "store/idlists.h"

enum {
	SEGMENT_HEAD = 4096, /* bytes of the file header */
	SEGMENT_FORMAT = 1,
	SEGMENT_TRAILER = 64,
	SEGMENT_REPLACES_MAX = 256, /* segments that one merge may replace */
	SEGMENT_NAME_MAX = 32,
	SEGMENT_RUNS_MAX = 1 << 20,
};

enum segment_kind {
	SEGMENT_STREAM = 1, /* blocks and commits as they came */
	SEGMENT_SEALED = 2, /* merged blocks of one class, and a footer */
};

/* The file header.  Invariant: n_replaces <= SEGMENT_REPLACES_MAX. */
enum {
	SEGMENT_MARKS = 1, /* compat: the index has marks (idindex_mark) */
	SEGMENT_GOES_ON =
	    1, /* incompat, of a stream: who goes on in it knows all that compat says */
};
struct segment_head {
	enum segment_kind kind;
	uint32_t compat; /* feature bits */
	uint64_t number;
	uint8_t uuid[16];
	struct wall created;
	struct span keep;       /* SEALED: its class */
	uint64_t first_row;     /* STREAM: the number of its first row */
	uint64_t pred;          /* STREAM: the segment before, 0 is none */
	uint64_t pred_end;      /* where the last trusted commit of pred ends */
	uint64_t pred_check;    /* that commit's check */
	uint32_t part, n_parts; /* SEALED: this is part of n_parts that replace the same segments */
	uint32_t n_replaces;
	uint64_t replaces[SEGMENT_REPLACES_MAX];
	uint64_t file; /* STREAM: its inode number; in a copy it is another one.  0: not said */
};

enum { SEGMENT_E_CORRUPT = 1, SEGMENT_E_FORMAT = 2, SEGMENT_E_GONE = 3 };

/** segment_name(out, number): the file's name, such as 0000000012.seg. */
void segment_name(char out[SEGMENT_NAME_MAX], uint64_t number);
/** segment_name_parse(name, ret): whether ${name} is one; its number. */
bool segment_name_parse(const char *name, uint64_t *ret);

/** segment_head_put(out, head): SEGMENT_HEAD bytes. */
void segment_head_put(struct buf *out, const struct segment_head *head);
/** segment_head_read(fd, ret): SEGMENT_E_CORRUPT, SEGMENT_E_FORMAT (a newer one), read errors. */
int segment_head_read(int fd, struct segment_head *ret);

/* A run of row numbers: [first, first + n). */
struct segment_run {
	uint64_t first;
	uint32_t n;
};

/*
 * What is known of a block without reading it.
 * Invariants: row numbers ascend; end_row - first_row >= n_rows, equal iff n_runs == 0; else the runs
 * runs[run_at .. run_at + n_runs) of the list that goes with it hold n_rows numbers from first_row to end_row.
 */
struct segment_block {
	struct block_summary sum;
	uint64_t first_row, end_row;
	uint64_t body_at;
	uint32_t n_body;
	uint32_t n_runs, run_at;
	struct wall committed;
	struct span keep;
	bool ids_lost;   /* as loaded: it may hold any ID */
	bool unreadable; /* sealing: not all of its rows can be decoded */
};

/* A growing list of blocks and their runs. */
struct segment_blocks {
	struct segment_block *v;
	size_t n, cap;
	struct segment_run *runs;
	size_t n_runs, cap_runs;
};
/** segment_blocks_add(l, b, runs): copies b and its b->n_runs runs; run_at is set. */
int segment_blocks_add(struct segment_blocks *l, const struct segment_block *b,
    const struct segment_run *runs);
void segment_blocks_fini(struct segment_blocks *l);
/* The runs of a block of the list; NULL when it has none, since the list may then have no memory at all. */
static inline const struct segment_run *
segment_runs(const struct segment_blocks *l, const struct segment_block *b)
{
	return b->n_runs != 0 ? l->runs + b->run_at : NULL;
}

/** segment_entry_put(out, b, runs), segment_entry_get(s, l): a block's entry in BLOCK, DIRECTORY and FOOTER. */
void segment_entry_put(struct buf *out, const struct segment_block *b,
    const struct segment_run *runs);
enum { SEGMENT_ENTRY_MIN = 76 };
int segment_entry_get(struct scan *s, struct segment_blocks *l);

/* A part of the ID index in the file: of blocks [first_block, first_block + n_blocks). */
struct segment_index {
	uint64_t at; /* of its pages */
	uint64_t n_ids;
	uint32_t first_block, n_blocks;
};

/* What a COMMIT says, but for the positions. */
struct segment_commit {
	uint64_t sequence; /* of the commit in the store, from 1 */
	struct wall when;
	uint64_t next_row;  /* the number that the next row gets */
	uint64_t directory; /* the last DIRECTORY frame, or 0 */
	uint32_t n_blocks;  /* entries that follow: the blocks that it makes durable */
	uint32_t n_positions;
	bool whole; /* it holds all positions, and not only what changed */
};
void segment_commit_put(struct buf *out, const struct segment_commit *c);
bool segment_commit_get(struct scan *s, struct segment_commit *ret);
/** segment_positions_each(s, n, fn, ctx): the n positions behind it; false when they are damaged. */
typedef int (*segment_position_fn)(void *ctx, struct str key, struct str value);
int segment_positions_each(struct scan *s, uint32_t n, segment_position_fn fn, void *ctx);

/** segment_fault_fn: a part that could not be read: where, and in words. */
typedef void (*segment_fault_fn)(void *ctx, const char *file, uint64_t at, const char *what);

/*
 * A segment as loaded.
 * Invariants: blocks holds those of whole commits only; indexes cover the blocks before n_indexed, and
 * list i of tail_ids is that of block n_indexed + i; end is
 * where the last whole commit ends, and chain is where the next frame goes on.
 */
struct segment {
	struct segment_head head;
	int fd;
	char name[SEGMENT_NAME_MAX];
	struct segment_blocks blocks;
	struct segment_index *indexes;
	size_t n_indexes;
	size_t n_indexed;
	struct idlists tail_ids;
	bool no_index; /* its footer is lost: any block may hold any ID */
	bool damaged;  /* something of it could not be read */
	bool torn;     /* there are bytes behind end */
	bool is_copy;  /* of the file that was written */
	uint64_t size;
	uint64_t end;
	struct frame_chain chain;
	struct segment_commit commit; /* the last one; sequence is 0 when there is none */
	struct wall first_commit;
	uint64_t last_directory;
	uint64_t footer_at; /* SEALED */
	uint64_t n_rows, raw_bytes;
};

/** segment_open(ret, dir_fd, name): read the header; nothing is loaded. */
int segment_open(struct segment **ret, int dir_fd, const char *name);
/** segment_shut(s), segment_reopen(s, dir_fd): close the file, and open it again before any of it is read.  SEGMENT_E_GONE: there
 * is none; -ESTALE: another one has its name now. */
void segment_shut(struct segment *s);
int segment_reopen(struct segment *s, int dir_fd);
struct segment *segment_close(struct segment *s);
DEFINE_AUTO(struct segment *, segment_close)

enum {
	SEGMENT_LOAD_QUICK = 1,   /* by the directories where there are some */
	SEGMENT_LOAD_TRUSTED = 2, /* the limit is known to be the end of a durable commit */
};

/* Who is told what while a segment is loaded; each may be NULL. */
struct segment_sinks {
	segment_fault_fn fault;
	void *fault_ctx;
	/* Each commit in order, then each position that it says. */
	void (*commit)(void *ctx, const struct segment_commit *c);
	segment_position_fn position;
	void *position_ctx;
};

/**
 * segment_load(s, limit, flags, sinks):
 * Load the blocks of all whole commits below ${limit} (0: the end of the file), going on from where an earlier
 * load of a stream ended.  Positions come only when the load is not quick.
 *
 * Errors: read errors, -ENOMEM.  Damage goes to the sink, and the rest is loaded.
 */
int segment_load(struct segment *s, uint64_t limit, unsigned flags,
    const struct segment_sinks *sinks);

/** segment_load_sealed(s, sinks): the same for a sealed one, by its footer, or by its frames when that is lost. */
int segment_load_sealed(struct segment *s, const struct segment_sinks *sinks);

/**
 * segment_load_directories(s, limit, trusted):
 * The blocks up to the last DIRECTORY of a stream, by the chain of directories; s is as it was when
 * that is not possible.
 */
int segment_load_directories(struct segment *s, uint64_t limit, bool trusted);

/* What a DIRECTORY's meta begins with. */
struct segment_directory {
	uint64_t prev; /* the DIRECTORY before, or 0 */
	uint32_t n_blocks;
	uint64_t n_ids;
};
void segment_directory_put(struct buf *out, const struct segment_directory *d);
bool segment_directory_get(struct scan *s, struct segment_directory *ret);

/* What a FOOTER's meta begins with; then the blocks' entries, then all positions. */
struct segment_footer {
	uint32_t n_blocks;
	uint64_t n_ids;
	struct segment_commit commit; /* the last one of what it was made of */
};
void segment_footer_put(struct buf *out, const struct segment_footer *f);
void segment_trailer_put(struct buf *out, const struct segment_head *head, uint64_t footer_at);

/** segment_index_add(s, at, n_ids, n_blocks): the next n_blocks blocks are in the index at ${at}. */
int segment_index_add(struct segment *s, uint64_t at, uint64_t n_ids, uint32_t n_blocks);

/* A BLOCK frame's meta: one entry and the block's sorted fingerprints. */
struct segment_meta {
	struct segment_blocks blocks; /* exactly one after a good parse */
	uint32_t *fps;
	size_t n_fps, cap_fps;
};
void segment_meta_put(struct buf *out, const struct segment_block *b,
    const struct segment_run *runs, const uint32_t *fps, size_t n_fps);
int segment_meta_get(struct segment_meta *m, struct str meta);
void segment_meta_fini(struct segment_meta *m);

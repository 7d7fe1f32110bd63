/*
 * store/frame.h - the frame.
 * One job: one self-checking piece of a segment, chained to the piece before it.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/buf.h"

enum frame_type {
	FRAME_BLOCK = 1,     /* rows of one class */
	FRAME_COMMIT = 2,    /* what came before is one fact, with these positions */
	FRAME_DIRECTORY = 3, /* the blocks since the directory before */
	FRAME_FOOTER = 4,    /* the end of a sealed segment */
};

enum {
	FRAME_HEAD = 56,
	FRAME_COMPAT = 1,          /* flag: a reader that does not know the type goes past it */
	FRAME_META_MAX = 64 << 20, /* bytes; more is damage */
	FRAME_WINDOW = 32 << 10,   /* bytes that a walk reads at once */
	FRAME_MAGIC = 0x4d524677,  /* "wFRM" */
	FRAME_VERSION = 1,
};

/*
 * Invariants of a parsed frame: at is a multiple of 8; n_meta <= FRAME_META_MAX; check is right for
 * the segment's seed.
 */
struct frame {
	uint64_t at; /* of the header in the file */
	uint8_t type, version;
	uint16_t flags;
	uint32_t number;
	uint32_t n_meta, n_body;
	uint64_t meta_sum, body_sum;
	uint64_t prev, check;
};

static inline uint64_t
frame_pad(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

static inline uint64_t
frame_body_at(const struct frame *f)
{
	return f->at + FRAME_HEAD + frame_pad(f->n_meta);
}

static inline uint64_t
frame_end(const struct frame *f)
{
	return frame_body_at(f) + frame_pad(f->n_body);
}

/** frame_seed(uuid, segment): what makes the frames of one segment different from all others. */
uint64_t frame_seed(const uint8_t uuid[16], uint64_t segment);

/* Where a chain is: the number of the next frame and the check of the one before. */
struct frame_chain {
	uint64_t seed;
	uint32_t next_number;
	uint64_t prev;
};

/**
 * frame_put(out, chain, type, meta, body):
 * Append one frame with its padding, and move ${chain} on.
 *
 * Source: docs/FORMAT.md, "Frames".
 */
void frame_put(struct buf *out, struct frame_chain *chain, enum frame_type type, struct str meta,
    struct str body);

/* A frame whose body is being appended. */
struct frame_draft {
	enum frame_type type;
	size_t start, n_meta;
};

/**
 * frame_begin(out, type, meta), frame_finish(out, chain, draft):
 * The same for a body that is made where it is to stand: append it to ${out} between the two.
 */
struct frame_draft frame_begin(struct buf *out, enum frame_type type, struct str meta);
void frame_finish(struct buf *out, struct frame_chain *chain, struct frame_draft d);

/** frame_parse(p, seed, at, ret): false when these FRAME_HEAD bytes are no frame of this segment. */
bool frame_parse(const uint8_t p[FRAME_HEAD], uint64_t seed, uint64_t at, struct frame *ret);

/*
 * Reads a file from the front through one buffer.
 * Invariant: buf holds the bytes [at, at + buf.n) of the file.
 */
struct frame_window {
	int fd;
	uint64_t limit; /* nothing at or beyond it is read */
	uint64_t at;
	struct buf buf;
};

/**
 * frame_window_get(w, at, n, ret):
 * Borrow n bytes at ${at} until the next call; fewer at the limit.
 */
int frame_window_get(struct frame_window *w, uint64_t at, size_t n, struct str *ret);
void frame_window_fini(struct frame_window *w);

/*
 * A walk over the frames of a segment.  What is damaged is gone past: the walk looks for the next frame of
 * this segment with a higher number, and says what it left out.
 */
struct frame_walk {
	struct frame_window win;
	struct frame_chain chain;
	uint64_t at; /* of the next frame */
	struct frame frame;
	struct str meta;    /* of frame; borrowed until the next step */
	bool meta_bad;      /* its checksum does not hold; meta is empty */
	bool broken;        /* bytes or frames between this one and the one before are missing */
	uint64_t broken_at; /* where they began */
};

enum { FRAME_E_END = 1 };

/** frame_walk_init(w, fd, chain, at, limit): begin at ${at}; fini frees. */
void frame_walk_init(struct frame_walk *w, int fd, const struct frame_chain *chain, uint64_t at,
    uint64_t limit);
void frame_walk_fini(struct frame_walk *w);

/**
 * frame_walk_next(w):
 * Step to the next frame that lies whole below the limit.
 *
 * Errors: FRAME_E_END; read errors.
 */
int frame_walk_next(struct frame_walk *w);

enum { FRAME_E_BAD_BODY = 1 };

/** frame_check_body(fd, f): read the body and compare its checksum. */
int frame_check_body(int fd, const struct frame *f);

/** frame_read_exact(fd, p, n, at): exactly n bytes, -EIO at the end of the file. */
int frame_read_exact(int fd, void *p, size_t n, uint64_t at);

/*
 * ingest/file_internal.h - the parts of the file source.
 * One job: what file*.c share: the source, the followed names, and their generations.
 * Floor: 3 (uses parsers, record, base).
 *
 * A follow is a name that the globs found.  Its generations are the files that this name has led to, oldest first:
 * at most one of them is live, the others are rotated away and read to their end under the name they had.
 */
#pragma once

#include "base/map.h"
#include "ingest/file.h"
#include "ingest/filepos.h"
#include "ingest/frame.h"
#include "ingest/unzip.h"

struct follow;
struct file_source;

/* How far a generation was read, and the unfinished group of its parser at that place. */
struct file_mark {
	uint64_t offset;
	struct file_print head; /* of at least the first min(offset, FILE_HEAD_MAX) bytes */
	struct file_print tail; /* of the min(offset, FILE_TAIL_MAX) bytes before offset */
	uint32_t part;
	struct buf group;
};
int file_mark_copy(struct file_mark *to, const struct file_mark *from);

/*
 * Invariants: now is what was handed up; sent what the last checkpoint said; acked what the last commit that is known to
 * be durable kept.  fd < 0: closed, and parser and zip are NULL.  dead: its bytes are nowhere any more.  final and dead ones are never
 * ready.
 */
struct gen {
	struct follow *follow;
	struct file_id id;
	struct file_stat st; /* when it was last seen on the disk */
	uint64_t seq, size;
	unsigned flags; /* enum file_pos_flags */
	char *path;     /* where it was last seen; NULL: nowhere */
	int fd;
	struct unzip *zip;
	struct parser *parser;
	struct file_mark now, sent, acked;
	bool ready;    /* there may be bytes to read */
	bool verified; /* its content was compared with its position since this source started */
	bool changed;  /* its position is to be put at the next checkpoint */
	bool unacked;  /* sent is not acked yet */
	bool cut;      /* its bytes were truncated away; only a copy can have them */
	struct file_id
	    was;   /* the identity before a copy of it was found; its key is to be deleted */
	bool gone; /* no name leads to it any more */
	bool copy; /* it goes on in a copy, which has no writer */
	bool dead;
	bool denied;      /* the last read of it failed; it is to be tried again */
	struct span grew; /* mono_now() of the last sign of life */
	uint64_t nul_to;  /* NULs from the offset up to here were seen */
	struct wall last_line;
	uint64_t n_lines, n_bytes;
};

static inline bool
gen_is_known(const struct gen *g)
{
	return (g->flags & FILE_POS_KNOWN) != 0;
}

enum follow_state {
	FOLLOW_READING,
	FOLLOW_MISSING, /* nothing has this name now */
	FOLLOW_DENIED,  /* cannot be opened; tried again */
	FOLLOW_REFUSED, /* not a file to follow */
	FOLLOW_SAME,    /* another name of a file that is read already */
};

/* Invariant: gens are in the order of seq; live is one of them, or NULL. */
struct follow {
	char *path;
	struct gen **gens;
	size_t n_gens;
	struct gen *live;
	enum follow_state state;
	int error;               /* why it could not be read when that was said; 0: it could */
	bool had_positions;      /* it was followed by an earlier run */
	bool old;                /* one look has been taken at it */
	bool queued;             /* in the source's queue */
	bool link;               /* its name is a symbolic link */
	bool wait_archive;       /* a file is being compressed beside it: no verdict yet */
	unsigned misses;         /* looks without an end of that */
	uint64_t next_seq, scan; /* the number of the scan that saw it last */
	uint64_t n_lost_bytes;
};

/* One name in a folder that is a rotated form of a followed one. */
struct sibling {
	char *path;
	struct file_stat st;
	struct file_id id;
	int64_t rank; /* see file_name_bases */
	struct follow *follow;
	bool archive; /* by its name */
	bool matches; /* a glob names it too */
	bool used;
};

/* A reported loss is reported again when its commit was aborted. */
struct file_loss {
	char *text;
	struct buf fields; /* name, value pairs, each ended by NUL */
	bool sent;         /* a checkpoint came after it */
};

/* A saved position of a name that no glob finds; of those that are dropped the key is to be deleted. */
struct stranger {
	char key[FILE_KEY_MAX];
	char *path;
	bool drop, sent; /* sent: the last checkpoint deleted it */
};

struct watch; /* file_watch.c */

/* Another file source of the same daemon. */
struct file_peer {
	struct file_source *source;
	bool before; /* its input is named earlier */
};

struct file_source {
	struct source base;
	struct file_source_options
	    opt; /* scalars; the pointers in it are not used after file_source_new */
	struct parser_options parser_opt;
	struct arena arena; /* copies of the options */
	char **patterns;
	size_t n_patterns;
	struct str host;
	struct shape *shape;
	struct follow **follows;
	size_t n_follows, cap_follows;
	struct map by_path;    /* path: index into follows + 1 */
	struct map by_id;      /* identity: pointer to the generation, or 0 */
	struct follow **queue; /* those with something to read, a ring as large as cap_follows */
	size_t q_at, q_n;
	size_t n_open;
	struct watch *watch;
	struct file_peer *peers;
	size_t n_peers;
	struct record_batch batch;
	struct buf chunk;
	struct file_loss *losses;
	size_t n_losses;
	struct stranger *
	    strangers; /* in the order of their positions, the oldest first; of the first source only */
	size_t n_strangers;
	struct span scan_at, tick_at; /* mono_now() */
	struct span scan_took;
	uint64_t scan;      /* number of the scan */
	struct wall looked; /* when the last whole scan began, of an earlier run too; 0: never */
	bool started;       /* an earlier run has taken its first look */
	bool full;          /* max_names was reached and reported */
	bool busy;          /* a tick is needed */
	bool checked; /* a checkpoint was taken, and what became of its commit is not known yet */
	bool intake_failed; /* in this turn: not the file was wrong, but where its lines go */
};

enum { FILE_TICK_S = 1, FILE_LOSSES_MAX = 256, FILE_UNSEEN_MAX = 32 };

/* file_gen.c: one generation. */
int gen_new(struct file_source *s, struct follow *f, const struct file_id *id, struct gen **ret);
void gen_free(struct file_source *s, struct gen *g);
/** gen_open(s, g): have it open, with its parser as its position says.  GEN_E_GONE: its path leads to another file. */
enum { GEN_E_GONE = 1 };
int gen_open(struct file_source *s, struct gen *g);
void gen_close(struct file_source *s, struct gen *g);
int gen_set_path(struct gen *g, const char *path);
void gen_forget_id(struct file_source *s, struct gen *g);
int gen_set_id(struct file_source *s, struct gen *g, const struct file_id *id);
/** gen_back(s, g): undo what was parsed and not handed up: the parser is again as the position says. */
int gen_back(struct file_source *s, struct gen *g);
/** gen_position(g, m, ret): the position to commit for mark ${m}; borrows. */
void gen_position(const struct gen *g, const struct file_mark *m, struct file_pos *ret);
/** gen_load(s, pos): a generation from a saved position. */
int gen_load(struct file_source *s, const struct file_pos *pos);
struct file_bytes gen_bytes(const struct gen *g);
struct gen *gen_by_id(struct file_source *s, const struct file_id *id);

/* file_read.c: the bytes of one generation. */
/** gen_read(s, g, flush, ret_n): one chunk of lines, handed up; flush: an unfinished last line too.
 * GEN_E_REPLACED: the file has another content now (nothing was handed up). */
enum { GEN_E_REPLACED = 2 };
int gen_read(struct file_source *s, struct gen *g, bool flush, size_t *ret_n);
/** gen_flush(s, g, all): finish the parser's groups that are due, or all. */
int gen_flush(struct file_source *s, struct gen *g, bool all);

/* file_follow.c: one followed name. */
int follow_get(struct file_source *s, const char *path, struct follow **ret);
struct follow *follow_free(struct file_source *s, struct follow *f);
void follow_queue(struct file_source *s, struct follow *f);
void gen_wake(struct file_source *s, struct gen *g);
/** follow_read(s, f, ret_n): read one chunk of its oldest generation that has any. */
int follow_read(struct file_source *s, struct follow *f, size_t *ret_n);
/** follow_deny(s, f, r): after failure ${r} about a file of ${f}: it cannot be read now, which is said once and is no failure of the
 * source.  What is not about a file, memory and the intake, is passed on. */
int follow_deny(struct file_source *s, struct follow *f, int r);
/** follow_tick(s, f, now): what time brings: partial lines, groups, files to close. */
int follow_tick(struct file_source *s, struct follow *f, struct span now);
void follow_remove_gen(struct file_source *s, struct gen *g);
void follow_sort(struct follow *f);

/* How the content of a file relates to a generation. */
enum likeness {
	LIKE_NOT,
	LIKE_PART, /* a copy that ends before the position */
	LIKE_ALL,  /* has all up to the position, and maybe more */
};

/* file_like.c: content. */
/** like_open(path, archive, ret): a file's bytes, closed by like_close. */
int like_open(const char *path, bool archive, struct file_bytes *ret);
void like_close(struct file_bytes *b);
/** like_copy(own, b, n, ret): whether ${b}, of n bytes, is a copy of the beginning of ${own}. */
int like_copy(const struct file_bytes *own, const struct file_bytes *b, uint64_t n, bool *ret);
/** like_compare(g, b, n, ret): how ${b}, of n bytes (as they lie there), relates to what was read of ${g}. */
int like_compare(const struct gen *g, const struct file_bytes *b, uint64_t n, enum likeness *ret);
/** like_sibling(g, sib, ret): how the sibling relates to it; LIKE_NOT also for one that cannot be read now. */
int like_sibling(const struct gen *g, const struct sibling *sib, enum likeness *ret);

/* One look at one name. */
struct look {
	struct file_source *s;
	struct follow *f;
	struct sibling *sibs;
	size_t n_sibs;
	int fd; /* the file that the name leads to, when it is another one than before; -1 */
	struct file_stat st;
	struct file_id id;
	bool turned; /* a generation came to its end */
	bool denied; /* there is a file that cannot be read now: what is missing may be in it */
};

/* file_missed.c: files that are known by nothing. */
/** look_at_unknown(l): read those that were missed, and remember the others. */
int look_at_unknown(struct look *l);

/* file_match.c: which file is which generation. */
/** follow_look(s, f, sibs, n_sibs): see what became of a name and the rotated forms beside it, oldest first. */
int follow_look(struct file_source *s, struct follow *f, struct sibling *sibs, size_t n_sibs);
/** follow_replaced(s, g): the live file ${g} was truncated or written anew. */
int follow_replaced(struct file_source *s, struct gen *g);

/* file_scan.c: the folders. */
int file_scan(struct file_source *s);
/** file_siblings(s, f, ret, ret_n): the rotated forms beside ${f}; siblings_free frees them. */
int file_siblings(struct file_source *s, struct follow *f, struct sibling **ret, size_t *ret_n);
void siblings_free(struct sibling *sibs, size_t n);
/** file_open(path, ret_st): open a path if it is a plain file that may be read: a descriptor, -errno, and -EINVAL with
 * ret_why set for what is refused. */
int file_open(const char *path, struct file_stat *ret_st, const char **ret_why);

/* file_name.c: names. */
/**
 * file_name_bases(name, ret):
 * The names (without folder) that ${name} may be a rotated form of: base.N, base-DATE, base.old, stem.N.ext, stem-DATE.ext,
 * any of them compressed.  Returns how many.
 */
enum { FILE_BASES_MAX = 2, FILE_NAME_MAX = 256 };
struct file_base {
	char name[FILE_NAME_MAX];
	int64_t rank; /* higher is older, among the forms of one base */
};
size_t file_name_bases(struct str name, struct file_base ret[FILE_BASES_MAX]);
bool file_name_is_glob(struct str path);
/** file_glob_match(pattern, path): as fnmatch by parts; a part "**" is any depth of folders. */
bool file_glob_match(const char *pattern, const char *path);
/** file_name_matches(s, path): whether one of the source's patterns names it. */
bool file_name_matches(const struct file_source *s, const char *path);
/** file_name_show(out, name): escaped for people. */
void file_name_show(struct buf *out, const char *name);

/* file_event.c: what the source has to say. */
/** file_handed(s, r): what the intake answered. */
int file_handed(struct file_source *s, int r);
int file_say(struct file_source *s, const char *name, const char *text, const char *why);
int file_lost(struct file_source *s, struct follow *f, const char *reason, uint64_t from,
    uint64_t n_bytes, bool exact);
int file_losses_again(struct file_source *s);
void file_losses_sent(struct file_source *s);
void file_losses_acked(struct file_source *s);
void file_losses_fini(struct file_source *s);

/* file_bound.c: what is forgotten. */
/** gen_is_unseen(g): it was read to its end, or never will be, and no name leads to it. */
static inline bool
gen_is_unseen(const struct gen *g)
{
	return !g->dead && g->fd < 0 && g->path == NULL && (g->flags & FILE_POS_FINAL) != 0;
}
/** file_forget_names(s): after a whole scan, names that are gone with all their generations. */
void file_forget_names(struct file_source *s);
/** file_stranger_add(s, pos, path): a position that no source goes on from. */
int file_stranger_add(struct file_source *s, const struct file_pos *pos, const char *path);
void file_strangers_fini(struct file_source *s);
/** file_bound_positions(s): beyond max_positions, forget those of files that are gone: first of names that no glob
 * finds, the oldest first, then the older ones of each name. */
void file_bound_positions(struct file_source *s);
int file_strangers_put(struct file_source *s);
void file_strangers_acked(struct file_source *s);
void file_strangers_again(struct file_source *s);

/* file_peer.c: several inputs. */
int file_peers_join(struct file_source *s, struct source **before, size_t n);
void file_peers_leave(struct file_source *s);
/** file_peer_names(s, path, before): whether another input's globs name it; before: only those of earlier ones count. */
bool file_peer_names(const struct file_source *s, const char *path, bool before);
/** file_peer_has(s, id): whether another input reads, or has read, that file. */
bool file_peer_has(const struct file_source *s, const struct file_id *id);

/* file_watch.c: inotify. */
int watch_new(struct watch **ret);
struct watch *watch_free(struct watch *w);
int watch_fd(const struct watch *w);
/** watch_fs_tells(type): whether a file system with that statfs type tells of what other hosts write. */
bool watch_fs_tells(unsigned long type);
/** watch_dir(w, path): be told of changes in a folder.  False when that is impossible. */
bool watch_dir(struct watch *w, const char *path);
/** watch_file(w, path, as): of a link's target, told as a change of ${as}. */
bool watch_file(struct watch *w, const char *path, const char *as);
bool watch_complete(const struct watch *w); /* every folder is watched */
void watch_begin(struct watch *w);          /* a scan names anew what is to be watched … */
void watch_end(struct watch *w);            /* … and the rest is let go */
/**
 * watch_read(w, fn, ctx):
 * Take what is there: fn(ctx, path, moved) for each file; path NULL: events were lost, look at everything.
 */
typedef void (*watch_fn)(void *ctx, const char *path_or_null, bool moved);
int watch_read(struct watch *w, watch_fn fn, void *ctx);

/*
 * ingest/journal_reader.h - inside the reader's process.
 * One job: what its files share; nothing outside journal_*.c includes it.
 * Floor: 3 (uses base).
 */
#pragma once

#include <systemd/sd-journal.h>

#include "base/arena.h"
#include "ingest/journal_files.h"

enum {
	READER_BATCH_BYTES = 256 << 10,
	READER_BATCH_ENTRIES = 1024, /* read ones, so that a filter that takes none still reports */
	READER_BATCH_MS = 500,       /* on a slow disk a batch ends after so long */
	READER_ERRORS_MAX = 3,       /* in a row, then the journal is opened anew */
	READER_SKIPS_MAX =
	    10000,             /* entries in a row that cannot be read; then the rest is given up */
	READER_GIVE_UP = 7,    /* openings in a row without progress, for --once */
	READER_REOPEN_MAX = 3, /* in a row, then its files are probed */
	READER_RETRY_MS = 5000,  /* when there is nothing to open */
	READER_RELIST_MS = 1000, /* at most this often */
	READER_EXACT = 4096,     /* entries whose numbers are all looked at, after a doubt */
	READER_PROBE_S = 20,     /* of one file */
	READER_STALL_S = 10,     /* of a probe without one more entry */
	READER_FUTURE_S = 86400, /* beyond now: a time that no clock gave */
	READER_YOUNG_S = 10,     /* a file so young may still be in the making */
	/* what a function of the reader may return besides 0 and -errno */
	READER_E_END = 1,    /* the daemon has gone, or all is read and that was the task */
	READER_E_REOPEN = 2, /* close the journal and open it at the last sent position */
};

/*
 * Counting: entries carry numbers, and a missing number is a lost entry.  Files of one journald may have sequence-number
 * ids of their own and yet share one counter (user journals before systemd 255), so a number that is missing in one id
 * may stand in another.
 *
 * A cursor costs a fifth of an entry.  While numbers go up by one with each entry, whatever the ids, it is enough to
 * look at the last entry of a batch; where they do not, each entry is looked at for the next READER_EXACT ones.  Then
 * each id has a track: its last number, and how many entries of others came since with numbers above it; what is
 * missing between two numbers of an id and not with the others is lost.  A track that was not followed entry by
 * entry since its last number says nothing, and starts anew.
 */
struct journal_track {
	struct journal_id id, boot;
	uint64_t last;
	uint64_t others,
	    others_max; /* entries of other ids of that boot since, and their highest number */
	uint64_t since; /* value of exact_since when it was last followed */
};

struct journal_count {
	struct journal_id cur; /* id of the last cursor; meaningful if have */
	uint64_t last;         /* its number */
	bool have;
	struct journal_id boot;
	uint64_t n_since;     /* entries since the last cursor */
	unsigned exact;       /* entries left to look at one by one */
	uint64_t exact_since; /* goes up when an entry passes that is not looked at */
	bool damaged;         /* since the last cursor there was an error */
	bool removed;         /* … files went away */
	struct journal_track tracks[JOURNAL_IDS_MAX];
	size_t n_tracks;
	struct journal_proto_loss loss;
	char reason[64];
	bool have_loss;
};

struct journal_reader {
	int fd;
	sd_journal *j;
	struct journal_proto_options opt; /* strings in options */
	char *path;                       /* NULL: this machine's */
	struct buf options;
	struct arena arena; /* the options' arrays */
	struct arena paths; /* of the last open */

	struct journal_files files; /* when the journal was last opened */
	struct journal_file_id *aside;
	size_t n_aside, cap_aside;
	bool chosen; /* opened as a list of files, so that new ones are for us to see */
	bool probe;  /* look at each file alone before the next open */
	bool unsure; /* some file must be looked at again */
	struct span listed;
	bool relist_due; /* something happened since, too soon to look */
	bool relist_now; /* files came while a send waited */
	bool in_apart;   /* the current entries are of files that are read apart */

	struct buf out;     /* frames not yet sent */
	struct buf entries; /* of the batch that is being filled */
	uint32_t n_entries;
	uint64_t n_read;
	struct journal_position pos, sent;
	struct journal_count count;
	unsigned resuming; /* entries that may still be known ones */
	bool at_end;       /* the daemon was told so */
	bool started;      /* a start point was sought once */
	unsigned n_errors, n_reopens, n_skips;
	bool
	    careful; /* after openings without progress: each entry by itself, what fails is skipped */
	struct span batch_since;
	sd_id128_t boot;     /* of this machine now */
	uint64_t once_until; /* us of this boot; what is newer is not of --once */
	bool noted_denied, noted_nothing;
};

/* journal_reader.c */
/** journal_reader_run(rd): read on until the daemon goes, or --once has all: READER_E_END; -errno. */
int journal_reader_run(struct journal_reader *rd);
/** journal_reader_send(rd): send what is in ${rd}->out, however long the daemon takes.  READER_E_END. */
int journal_reader_send(struct journal_reader *rd);
void journal_reader_note(struct journal_reader *rd, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* journal_open.c: list, check, open */
/** journal_reader_open(rd): READER_E_REOPEN: there is nothing to open now; READER_E_END; -errno. */
int journal_reader_open(struct journal_reader *rd);
void journal_reader_close(struct journal_reader *rd);
/** journal_reader_new_files(rd): check files that came since; > 0: open the journal anew. */
int journal_reader_new_files(struct journal_reader *rd);

/* journal_apart.c */
/** journal_apart_is(rd, j): whether the one file of ${j} would lead the others astray. */
bool journal_apart_is(const struct journal_reader *rd, sd_journal *j);
/** journal_apart_begin(rd): open the files that are read apart, at where reading them stands, as ${rd}->j, whose old
 * value goes to ${ret_main}.  > 0: there is nothing to read. */
int journal_apart_begin(struct journal_reader *rd, sd_journal **ret_main);
/** journal_apart_count(rd, n): so many more of their entries are read. */
void journal_apart_count(struct journal_reader *rd, uint64_t n);

/* journal_probe.c */
/** journal_probe(rd): read each file alone, in a process of its own, and set aside those that kill it. */
int journal_probe(struct journal_reader *rd);
/** journal_reader_tell_aside(rd, f, reason, kills): tell the daemon that ${f} is not read. */
int journal_reader_tell_aside(struct journal_reader *rd, const struct journal_file *f,
    const char *reason, bool kills);
/** journal_reader_aside(rd, f, reason): keep ${f}, which kills, from libsystemd, and tell the daemon. */
int journal_reader_aside(struct journal_reader *rd, const struct journal_file *f,
    const char *reason);
bool journal_reader_is_aside(const struct journal_reader *rd, const struct journal_file_id *id);

/* journal_seek.c */
/** journal_seek(rd): go to where reading starts or goes on; tells when the saved place is gone. */
int journal_seek(struct journal_reader *rd);
/** journal_seek_plain(rd, j): the same without telling, for a probe. */
void journal_seek_plain(const struct journal_reader *rd, sd_journal *j);

/* journal_count.c */
/** journal_count_entry(rd): count the current entry.  > 0: it is known already, skip it. */
int journal_count_entry(struct journal_reader *rd);
/** journal_count_from(rd, c): counting goes on after the entry ${c}. */
void journal_count_from(struct journal_reader *rd, const struct journal_cursor *c);
/** journal_count_unread(rd): the entry counted last could not be read after all. */
void journal_count_unread(struct journal_reader *rd);
/** journal_count_sample(rd): take the cursor of the current entry as the position, and compare numbers. */
int journal_count_sample(struct journal_reader *rd);
/** journal_count_loss(rd): append the loss found so far, if any, to ${rd}->out. */
void journal_count_loss(struct journal_reader *rd);

/* journal_entry.c */
/** journal_entry_put(rd, realtime): append the current entry to the batch.  > 0: a filter took it out. */
int journal_entry_put(struct journal_reader *rd, uint64_t realtime);

/* journal_pages.c */
/** journal_pages(): give back the pages of journal files, when they are many. */
void journal_pages(void);

/* journal_guard.c */
/** journal_guard(fd): rights given up, and a fault in a mapped file names the file before it kills. */
void journal_guard(int fd);
/** journal_guard_off(): faults just kill, as a probe wants it. */
void journal_guard_off(void);

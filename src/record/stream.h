/*
 * record/stream.h - stream labels.
 * One job: the canonical text of a stream, {a="x",b="y"}, and back.
 * Floor: 1 (uses base).
 *
 * Labels are sorted by name, values are quoted as in Go (\" \\ \n and so on); {} has none.
 */
#pragma once

#include "base/buf.h"

struct label {
	struct str name;
	struct str value;
};

enum { STREAM_LABELS_MAX = 32, STREAM_E_SYNTAX = 1 };

/** stream_format(out, labels, n): append the canonical text; labels with an empty value are left out.
 * Sorts labels[n] in place. */
void stream_format(struct buf *out, struct label *labels, size_t n);

/**
 * stream_parse(s, arena, ret_labels, ret_n):
 * The labels of canonical text ${s}; names and values borrow from s or are made in ${arena}.
 *
 * Shapes: ret_labels[STREAM_LABELS_MAX].
 * Errors: STREAM_E_SYNTAX, -ENOMEM.
 */
struct arena;
int stream_parse(struct str s, struct arena *arena, struct label *ret_labels, size_t *ret_n);

/**
 * stream_id(out, s):
 * The stream's _stream_id: 48 lower-case hex digits: 16 zeros (the tenant), then 128 bits of hash of the canonical text.
 */
enum { STREAM_ID_TEXT = 48 };
void stream_id(char out[STREAM_ID_TEXT + 1], struct str s);

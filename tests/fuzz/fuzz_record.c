/* tests/fuzz/fuzz_record.c - stream texts there and back, skeletons, levels and names of any bytes. */
#include "base/arena.h"
#include "base/hash.h"
#include "parse_fuzz.h"
#include "record/level.h"
#include "record/names.h"
#include "record/skeleton.h"
#include "record/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read and written is canonical: it reads as the same labels and writes as the same text. */
static void
check_stream(struct str s)
{
	struct label labels[STREAM_LABELS_MAX];
	struct arena arena = ARENA_INIT;
	struct buf first = BUF_INIT, second = BUF_INIT;
	size_t n = 0;

	if (stream_parse(s, &arena, labels, &n) == 0) {
		stream_format(&first, labels, n);
		FUZZ_MUST(stream_parse(buf_view(&first), &arena, labels, &n) == 0);
		stream_format(&second, labels, n);
		FUZZ_MUST(str_eq(buf_view(&first), buf_view(&second)));
	}
	buf_fini(&first);
	buf_fini(&second);
	arena_fini(&arena);
}

/* One label of any name and value comes back. */
static void
check_label(struct str s)
{
	struct label labels[STREAM_LABELS_MAX] = { { str_sub(s, 0, s.n / 2),
	    str_sub(s, s.n / 2, s.n) } };
	struct str name = labels[0].name, value = labels[0].value;
	struct arena arena = ARENA_INIT;
	struct buf b = BUF_INIT;
	size_t n = 0;

	stream_format(&b, labels, 1);
	FUZZ_MUST(stream_parse(buf_view(&b), &arena, labels, &n) == 0);
	FUZZ_MUST(n == (value.n != 0));
	FUZZ_MUST(n == 0 || (str_eq(labels[0].name, name) && str_eq(labels[0].value, value)));
	buf_fini(&b);
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of(data, size);
	struct buf b = BUF_INIT;
	int rank;

	check_stream(s);
	check_label(s);
	skeleton_of(&b, s);
	FUZZ_MUST(hash64(buf_view(&b)) == skeleton_hash(s));
	buf_fini(&b);
	(void)level_severity(s);
	(void)names_is_id(s);
	(void)names_is_level(s);
	(void)names_role(s, &rank);
	return 0;
}

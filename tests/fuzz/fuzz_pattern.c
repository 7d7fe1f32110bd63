/* tests/fuzz/fuzz_pattern.c - any pattern (the first line) on any lines. */
#include "parse_fuzz.h"

enum { PATTERN_MAX = 200, TEXT_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parser_options opt = { .name = "pattern", .zone_set = true };
	size_t n = str_find_byte(str_of(data, size), '\n');

	if (n == SIZE_MAX || n > PATTERN_MAX || size - n > TEXT_MAX)
		return 0;
	opt.pattern = str_of(data, n);
	fuzz_lines(&opt, str_of(data + n + 1, size - n - 1));
	return 0;
}

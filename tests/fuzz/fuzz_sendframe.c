/*
 * tests/fuzz/fuzz_sendframe.c - frames between main, the send process and its jobs, from any side.
 */
#include <stdlib.h>

#include "alerts/sender_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written and read again: the same. */
static void
job_again(const struct send_job *job)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	enum send_frame_type type;
	struct send_job back;
	struct str payload;
	size_t n;

	send_job_put(&out, job);
	if (out.n > SENDER_FRAME_MAX)
		return;
	if (send_frame_next(buf_view(&out), &type, &payload, &n) != 0 ||
	    send_job_get(payload, &arena, &back) != 0 || !str_eq(back.id, job->id) ||
	    !str_eq(back.body, job->body) || back.kind != job->kind ||
	    back.n_headers != job->n_headers)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct str s = str_of(data, size), payload, phase;
	enum send_frame_type type;
	struct send_result res;
	struct send_job job;
	bool unsure;
	size_t n;

	/* a payload alone too: the fuzzer need not find the head's length */
	if (send_job_get(s, &arena, &job) == 0)
		job_again(&job);
	while (send_frame_next(s, &type, &payload, &n) == 0) {
		switch (type) {
		case SEND_FRAME_JOB:
			if (send_job_get(payload, &arena, &job) == 0)
				job_again(&job);
			break;
		case SEND_FRAME_RESULT:
			(void)send_result_get(payload, &arena, &res);
			break;
		case SEND_FRAME_PHASE:
			(void)send_phase_get(payload, &arena, &phase, &unsure);
			break;
		}
		s = str_sub(s, n, s.n);
	}
	return 0;
}

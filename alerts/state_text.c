/*
 * alerts/state_text.c - what an alert is called, and what it says.
 * One job: a rule's labels and annotations for one result row.
 * Floor: 4 (uses base).
 */
#include "alerts/state_internal.h"
#include "base/err.h"

/* A template's text; one that fails says so in its place, as Prometheus' do. */
static int
run(struct state *s, const struct rule_text *t, const struct gotmpl_data *data, struct str *ret)
{
	int r;

	if (t->tmpl == NULL) {
		*ret = t->text;
		return 0;
	}
	buf_clear(&s->text);
	buf_clear(&s->why);
	r = gotmpl_run(t->tmpl, data, &s->text, &s->why);
	if (r < 0)
		return r;
	if (r > 0) {
		buf_clear(&s->text);
		buf_printf(&s->text, "<error expanding template: %s>", buf_c_str(&s->why));
	}
	if (s->text.failed)
		return err_origin(-ENOMEM);
	*ret = arena_dup(&s->work, buf_view(&s->text));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

int
state_labels_of(struct state *s, const struct state_rule *of, const struct labels *by,
    const struct eval_result *res, struct labels *ret)
{
	struct gotmpl_data data = { .labels = *by, .values = res->values, .value = res->value };
	const struct rule *rule = of->rule;
	struct label *more;
	size_t i;
	int r;

	more = arena_zalloc(&s->work, rule->n_labels + 2, sizeof(*more));
	if (more == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rule->n_labels; i++) {
		more[i].name = rule->labels[i].name;
		r = run(s, &rule->labels[i], &data, &more[i].value);
		if (r != 0)
			return r;
	}
	more[i++] = (struct label){ STR("alertgroup"), of->group->name };
	more[i++] = (struct label){ STR("alertname"), rule->name };
	return labels_with(&s->work, by, more, i, ret);
}

static int
annotate(struct state *s, struct state_alert *sa)
{
	struct gotmpl_data data = { sa->a.labels, { 0 }, sa->a.values, sa->a.value };
	const struct rule *rule = sa->of->rule;
	struct labels all = { 0 };
	struct label *texts;
	size_t i;
	int r;

	texts = arena_zalloc(&s->work, rule->n_annotations + 1, sizeof(*texts));
	if (texts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rule->n_annotations; i++) {
		texts[i].name = rule->annotations[i].name;
		r = run(s, &rule->annotations[i], &data, &texts[i].value);
		if (r != 0)
			return r;
	}
	r = labels_make(&s->work, texts, i, &all);
	if (r == 0)
		r = state_labels_set(&sa->annotations, &all);
	sa->a.annotations = sa->annotations.l;
	return r;
}

int
state_describe(struct state *s, struct state_alert *sa, const struct eval_result *res)
{
	int r;

	/* The same numbers say the same. */
	if (sa->values.mem != NULL && sa->annotations.mem != NULL &&
	    memcmp(&sa->a.value, &res->value, sizeof(res->value)) == 0 &&
	    labels_equal(&sa->a.values, &res->values))
		return 0;
	r = state_labels_set(&sa->values, &res->values);
	if (r != 0)
		return r;
	sa->a.values = sa->values.l;
	sa->a.value = res->value;
	sa->dirty = true;
	return annotate(s, sa);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the state machine of a queue, cell by cell, and what follows from
 * the table.
 */
#include <kunit/test.h>

#include "../vmq_priv.h"

#define UNDE	VMQ_QUEUE_STATE_UNDEFINED
#define ALLO	VMQ_QUEUE_STATE_ALLOCATED
#define SET_	VMQ_QUEUE_STATE_SET
#define RUNN	VMQ_QUEUE_STATE_RUNNING
#define PAUS	VMQ_QUEUE_STATE_PAUSED
#define STOP	VMQ_QUEUE_STATE_STOP_DMA
#define FREE	VMQ_QUEUE_STATE_FREEING
#define GONE	(-ENOENT)
#define BUSY	(-EBUSY)

/* One row of the specification's table; a refusal is its errno (O-14). */
struct queue_row {
	const char *name;
	enum vmq_queue_event event;
	int next[VMQ_QUEUE_STATES];
};

/* Written from the specification, not from the code: columns as there. */
static const struct queue_row queue_rows[] = {
	{ "Q-31 allocate", VMQ_QEV_ALLOCATE,
	  { ALLO, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY } },
	{ "Q-31 query parameters", VMQ_QEV_QUERY,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 change parameters", VMQ_QEV_CHANGE,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 set filter", VMQ_QEV_SET_FILTER,
	  { GONE, SET_, SET_, RUNN, RUNN, BUSY, BUSY } },
	{ "Q-31 clear filter, others remain", VMQ_QEV_CLEAR_FILTER,
	  { GONE, BUSY, SET_, RUNN, BUSY, BUSY, BUSY } },
	{ "Q-31 clear filter, last one", VMQ_QEV_CLEAR_LAST_FILTER,
	  { GONE, BUSY, ALLO, PAUS, BUSY, BUSY, BUSY } },
	{ "Q-31 list filters", VMQ_QEV_LIST_FILTERS,
	  { GONE, ALLO, SET_, RUNN, PAUS, BUSY, BUSY } },
	{ "Q-31 query one filter", VMQ_QEV_QUERY_FILTER,
	  { GONE, BUSY, SET_, RUNN, BUSY, BUSY, BUSY } },
	{ "Q-31 allocation complete", VMQ_QEV_COMPLETE,
	  { GONE, PAUS, RUNN, BUSY, BUSY, BUSY, BUSY } },
	{ "Q-31 deliver a packet", VMQ_QEV_DELIVER,
	  { GONE, BUSY, BUSY, RUNN, BUSY, BUSY, BUSY } },
	{ "Q-31 free", VMQ_QEV_FREE,
	  { GONE, STOP, BUSY, BUSY, STOP, BUSY, BUSY } },
	{ "Q-31 DMA stopped and notice sent", VMQ_QEV_DMA_STOPPED,
	  { GONE, BUSY, BUSY, BUSY, BUSY, FREE, BUSY } },
	{ "Q-31 one outstanding packet given back", VMQ_QEV_GIVE_BACK,
	  { GONE, BUSY, BUSY, RUNN, PAUS, STOP, FREE } },
	{ "Q-31 last one given back, resources released",
	  VMQ_QEV_GIVE_BACK_LAST,
	  { GONE, BUSY, BUSY, BUSY, BUSY, BUSY, UNDE } },
};

static void queue_row_desc(const struct queue_row *row, char *desc)
{
	strscpy(desc, row->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(queue_row, queue_rows, queue_row_desc);

/* Each event in every state, a row at a time. */
static void queue_table(struct kunit *test)
{
	const struct queue_row *row = test->param_value;
	int state;

	for (state = 0; state < VMQ_QUEUE_STATES; state++)
		KUNIT_EXPECT_EQ_MSG(test, row->next[state],
				    vmq_queue_next_state(state, row->event),
				    "from state %d", state);
}

/* Every event has a row above, so no cell goes untested. */
static void queue_table_complete(struct kunit *test)
{
	unsigned long seen = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queue_rows); i++)
		__set_bit(queue_rows[i].event, &seen);
	KUNIT_EXPECT_EQ(test, seen, BIT(VMQ_QEV_COUNT) - 1);
}

/* What is no state or no event. */
static void queue_table_bounds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_queue_next_state(VMQ_QUEUE_STATES,
					     VMQ_QEV_ALLOCATE));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			vmq_queue_next_state(UNDE, VMQ_QEV_COUNT));
}

/* A refused event leaves the state as it was (Q-31, O-15). */
static void queue_refusal_keeps_state(struct kunit *test)
{
	struct vmq_queue q = {};
	int state, event;

	for (state = 0; state < VMQ_QUEUE_STATES; state++) {
		for (event = 0; event < VMQ_QEV_COUNT; event++) {
			q.state = state;
			if (vmq_queue_event(&q, event))
				KUNIT_EXPECT_EQ(test, state, (int)q.state);
		}
	}
}

static void queue_expect(struct kunit *test, struct vmq_queue *q,
			 enum vmq_queue_event event, int state)
{
	KUNIT_EXPECT_EQ(test, 0, vmq_queue_event(q, event));
	KUNIT_EXPECT_EQ(test, state, (int)q->state);
}

/* the first Paused from two sides; Q-37: a filter resumes. */
static void queue_paused_from_two_sides(struct kunit *test)
{
	struct vmq_queue q = {};

	queue_expect(test, &q, VMQ_QEV_ALLOCATE, ALLO);
	queue_expect(test, &q, VMQ_QEV_COMPLETE, PAUS);
	queue_expect(test, &q, VMQ_QEV_SET_FILTER, RUNN);
	queue_expect(test, &q, VMQ_QEV_CLEAR_LAST_FILTER, PAUS);
}

/* not with filters; Q-41: the order of a free; Q-08: then again. */
static void queue_life(struct kunit *test)
{
	struct vmq_queue q = {};
	int round;

	for (round = 0; round < 2; round++) {
		queue_expect(test, &q, VMQ_QEV_ALLOCATE, ALLO);
		queue_expect(test, &q, VMQ_QEV_SET_FILTER, SET_);
		KUNIT_EXPECT_EQ(test, -EBUSY,
				vmq_queue_event(&q, VMQ_QEV_FREE));
		queue_expect(test, &q, VMQ_QEV_COMPLETE, RUNN);
		KUNIT_EXPECT_EQ(test, -EBUSY,
				vmq_queue_event(&q, VMQ_QEV_FREE));
		queue_expect(test, &q, VMQ_QEV_CLEAR_LAST_FILTER, PAUS);
		queue_expect(test, &q, VMQ_QEV_FREE, STOP);
		queue_expect(test, &q, VMQ_QEV_DMA_STOPPED, FREE);
		queue_expect(test, &q, VMQ_QEV_GIVE_BACK_LAST, UNDE);
	}
}

/* Q-38, O-03: four values for seven states. */
static void queue_oper_states(struct kunit *test)
{
	static const enum vmq_queue_oper_state oper[VMQ_QUEUE_STATES] = {
		[UNDE] = VMQ_QUEUE_OPER_STATE_UNDEFINED,
		[ALLO] = VMQ_QUEUE_OPER_STATE_PAUSED,
		[SET_] = VMQ_QUEUE_OPER_STATE_PAUSED,
		[RUNN] = VMQ_QUEUE_OPER_STATE_RUNNING,
		[PAUS] = VMQ_QUEUE_OPER_STATE_PAUSED,
		[STOP] = VMQ_QUEUE_OPER_STATE_DMA_STOPPED,
		[FREE] = VMQ_QUEUE_OPER_STATE_DMA_STOPPED,
	};
	int state;

	for (state = 0; state < VMQ_QUEUE_STATES; state++)
		KUNIT_EXPECT_EQ_MSG(test, oper[state],
				    vmq_queue_oper_state(state),
				    "of state %d", state);
	KUNIT_EXPECT_EQ(test, VMQ_QUEUE_OPER_STATE_UNDEFINED,
			vmq_queue_oper_state(VMQ_QUEUE_STATES));
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE_PARAM(queue_table, queue_row_gen_params),
	KUNIT_CASE(queue_table_complete),
	KUNIT_CASE(queue_table_bounds),
	KUNIT_CASE(queue_refusal_keeps_state),
	KUNIT_CASE(queue_paused_from_two_sides),
	KUNIT_CASE(queue_life),
	KUNIT_CASE(queue_oper_states),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "vmq-queue",
	.test_cases = queue_cases,
};

kunit_test_suites(&queue_suite);

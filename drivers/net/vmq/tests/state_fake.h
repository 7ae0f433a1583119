/* SPDX-License-Identifier: GPL-2.0 */
/* Made-up extensions for the tests of saves and restores. */
#ifndef _VMQ_STATE_FAKE_H
#define _VMQ_STATE_FAKE_H

#include <kunit/test.h>

#include "../state.h"

#define VMQ_FAKES	3

/*
 * Extension 0 is a, 1 is b, ... What they are called for is written down as
 * letter and verb: S save begin, N next, C save complete, B restore begin, V
 * validate, A apply, R rollback, D restore complete; small where it is told that
 * all failed, with a ! where it fails itself.
 */
struct vmq_fake {
	struct vmq_ext_ops ops;
	struct vmq_ext_port ep;
	struct vmq_fakes *ts;
	char letter;
	char name[8];

	u32 records;		/* to save */
	u32 size;		/* of each */
	u16 version;		/* that it writes */
	u16 flags;
	u32 next;
	char fail;		/* verb that fails */
	u32 fail_at;		/* the how manieth time */
	u32 calls;
	int error;
	u32 grow;		/* asks for that much more each time */
	bool scribble;		/* over what is not its own of a record */
	int owed;		/* begins without a complete */
};

struct vmq_fakes {
	struct vmq_fake ext[VMQ_FAKES];
	struct vmq_party party[VMQ_FAKES];
	struct vmq_save save;
	struct vmq_restore restore;
	struct vmq_reason reason;
	char log[256];
	u32 rooms[16];		/* that save_next was offered */
	u32 n_rooms;
	u8 *stream;
	size_t len;
};

void vmq_fakes_reset(struct vmq_fakes *ts);
int vmq_fakes_save(struct vmq_fakes *ts);
int vmq_fakes_write(struct vmq_fakes *ts, size_t len, size_t piece);
int vmq_fakes_restore(struct vmq_fakes *ts);
void vmq_fakes_nothing_owed(struct kunit *test, struct vmq_fakes *ts);
int vmq_fakes_init(struct kunit *test);
void vmq_fakes_exit(struct kunit *test);

#endif /* _VMQ_STATE_FAKE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Which filters the uplink's n-tuple table is offered, and as what: those that test
 * whole fields and lead to one VM queue.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "vmq_priv.h"

static bool vmq_mask_whole(const void *mask, size_t len)
{
	return !memchr_inv(mask, 0, len) || !memchr_inv(mask, 0xff, len);
}

static bool vmq_mask_whole_fields(const struct vmq_key *key,
				  const struct vmq_key *m)
{
	size_t addr = key->l3 == 4 ? sizeof(m->saddr[0]) : sizeof(m->saddr);

	return vmq_mask_whole(m->dst, sizeof(m->dst)) &&
	       vmq_mask_whole(m->src, sizeof(m->src)) &&
	       vmq_mask_whole(&m->ethertype, sizeof(m->ethertype)) &&
	       (vmq_mask_whole(&m->vlan, sizeof(m->vlan)) ||
		m->vlan == htons(VLAN_VID_MASK)) &&
	       vmq_mask_whole(m->saddr, addr) &&
	       vmq_mask_whole(m->daddr, addr) &&
	       vmq_mask_whole(&m->sport, sizeof(m->sport)) &&
	       vmq_mask_whole(&m->dport, sizeof(m->dport)) &&
	       vmq_mask_whole(&m->tos, sizeof(m->tos));
}

/**
 * vmq_offload_unfit() - why a filter is not offered to the uplink's table
 * @f: the filter
 *
 * Context: Process context, adapter->lock held.
 * Return: the reason, for people, or NULL where it is offered.
 */
const char *vmq_offload_unfit(const struct vmq_filter *f)
{
	const struct vmq_key *mask = &f->rule->mask;

	if (!f->queue)
		return "drops are counted in software";
	if (f->path)
		return "a VF has its frames";
	if (!f->queue->id && !f->vf)
		return "the default queue has no ring of its own";
	if (f->fs.flow_type & FLOW_RSS)
		return "it spreads over several queues";
	if (!memchr_inv(mask, 0, sizeof(*mask)))
		return "it tests nothing";
	if (!vmq_mask_whole_fields(&f->rule->key, mask))
		return "it tests under a mask";
	return NULL;
}

/**
 * vmq_offload_spec() - what a filter is offered as
 * @f: the filter
 * @fs: set to it, but for the location
 * @ring: receive ring of the uplink
 *
 * Context: Process context, adapter->lock held.
 */
void vmq_offload_spec(const struct vmq_filter *f,
		      struct ethtool_rx_flow_spec *fs, u32 ring)
{
	*fs = f->fs;
	fs->ring_cookie = ring;
	/* no network card can test that there is no tag, so any may be there */
	if ((fs->flow_type & FLOW_EXT) && !f->rule->key.vlan &&
	    f->rule->mask.vlan) {
		fs->flow_type &= ~FLOW_EXT;
		fs->h_ext.vlan_tci = 0;
		fs->m_ext.vlan_tci = 0;
	}
}

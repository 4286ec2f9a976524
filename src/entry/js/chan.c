// Channels for JavaScript: handles in, codes out, nothing panics and the host never waits.
#include "comm/chan.h"

#include "entry/js/agent.h"
#include "entry/js/handles.h"
#include "port/port.h"

enum { ELEM_MAX = 65535 };

static void *retain(void *c) { return bw_chan_retain(c); }

static bw_chan *get(int handle) { return bw__handle_get(handle, BW_HANDLE_CHAN, retain); }

static int done(bw_chan *c, int code) {
  bw_chan_release(c);
  return code;
}

int bw_js_chan_make(int elem_size, int capacity) {
  if (elem_size < 0 || elem_size > ELEM_MAX || capacity < 0) return BW_EINVAL;
  if (elem_size > 0 && capacity > (PTRDIFF_MAX - 4096) / elem_size) return BW_EINVAL;
  bw__port_mem_sync();
  bw_chan *c = bw_chan_make((size_t)elem_size, capacity);
  if (!c) return BW_ENOMEM;
  int handle = bw__handle_make(BW_HANDLE_CHAN, c);
  return handle > 0 ? handle : done(c, handle);
}

int bw_js_chan_drop(int handle) {
  bw_chan *c = bw__handle_take(handle, BW_HANDLE_CHAN);
  return c ? done(c, 0) : BW_EHANDLE;
}

// The op takes over our reference to `c` when it stays behind; else both go.
static int settle(bw__js_op *op, int code) {
  if (code != BW_EAGAIN) bw_js_op_free(&op->pub);
  return code;
}

static bw__js_op *op_for(bw_chan *c, uint32_t key) {
  bw__js_agent *agent = (bw__js_agent *)(uintptr_t)bw_js_thread_self()->agent;
  return bw__js_op_make(agent, c, bw_chan_elem_size(c), key);
}

int bw_js_chan_send(int handle, const void *value, uint32_t key) {
  bw_chan *c = get(handle);
  if (!c) return BW_EHANDLE;
  int code = bw__chan_try_send(c, value);
  if (code != BW_EAGAIN) return done(c, code);
  bw__js_op *op = op_for(c, key);
  if (!op) return done(c, BW_ENOMEM);
  memcpy(op->value, value, op->pub.value_size);
  return settle(op, bw__chan_send_ticket(c, &op->ticket));
}

int bw_js_chan_recv(int handle, void *value, uint32_t key) {
  bw_chan *c = get(handle);
  if (!c) return BW_EHANDLE;
  int code = bw__chan_try_recv(c, value);
  if (code != BW_EAGAIN) return done(c, code);
  bw__js_op *op = op_for(c, key);
  if (!op) return done(c, BW_ENOMEM);
  code = bw__chan_recv_ticket(c, &op->ticket);
  if (code != BW_EAGAIN) memcpy(value, op->value, op->pub.value_size);
  return settle(op, code);
}

int bw_js_chan_try_send(int handle, const void *value) {
  bw_chan *c = get(handle);
  return c ? done(c, bw__chan_try_send(c, value)) : BW_EHANDLE;
}

int bw_js_chan_try_recv(int handle, void *value) {
  bw_chan *c = get(handle);
  return c ? done(c, bw__chan_try_recv(c, value)) : BW_EHANDLE;
}

int bw_js_chan_close(int handle) {
  bw_chan *c = get(handle);
  return c ? done(c, bw__chan_close(c)) : BW_EHANDLE;
}

int bw_js_chan_len(int handle) {
  bw_chan *c = get(handle);
  return c ? done(c, (int)bw_chan_len(c)) : BW_EHANDLE;
}

int bw_js_chan_cap(int handle) {
  bw_chan *c = get(handle);
  return c ? done(c, (int)bw_chan_cap(c)) : BW_EHANDLE;
}

int bw_js_chan_elem_size(int handle) {
  bw_chan *c = get(handle);
  return c ? done(c, (int)bw_chan_elem_size(c)) : BW_EHANDLE;
}

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

// A send or receive that waits, with a reference to its channel.
typedef struct {
  bw__js_op op;
  bw__place ticket;
  bw_chan *chan;
  _Alignas(16) char value[];
} chan_op;

static chan_op *of(bw__js_op *op) { return BW_CONTAINER(op, chan_op, op); }

static void complete(bw__waiter *w) {
  chan_op *op = BW_CONTAINER(bw__place_of(w), chan_op, ticket);
  bw__js_op_finish(&op->op, w->ok ? 0 : BW_ECLOSED);
}

static bool cancel(bw__js_op *op) { return bw__chan_cancel_ticket(of(op)->chan, &of(op)->ticket); }
static void end(bw__js_op *op) { bw_chan_release(of(op)->chan); }

static const bw__js_op_kind kind = {.cancel = cancel, .abandon = cancel, .end = end};

// Takes over the reference to `c`, unless there is no memory: NULL.
static chan_op *op_for(bw_chan *c, uint32_t key) {
  size_t size = bw_chan_elem_size(c);
  bw__js_op *made = bw__js_op_make(&kind, sizeof(chan_op) + size, key);
  if (!made) return NULL;
  chan_op *op = of(made);
  op->chan = c;
  op->op.pub.value_size = (uint32_t)size;
  op->op.pub.value = (uint32_t)(uintptr_t)op->value;
  bw__ticket_init(&op->ticket, op->value, complete);
  return op;
}

int bw_js_chan_send(int handle, const void *value, uint32_t key) {
  bw_chan *c = get(handle);
  if (!c) return BW_EHANDLE;
  int code = bw__chan_try_send(c, value);
  if (code != BW_EAGAIN) return done(c, code);
  chan_op *op = op_for(c, key);
  if (!op) return done(c, BW_ENOMEM);
  memcpy(op->value, value, op->op.pub.value_size);
  return bw__js_op_begun(&op->op, bw__chan_send_ticket(c, &op->ticket));
}

int bw_js_chan_recv(int handle, void *value, uint32_t key) {
  bw_chan *c = get(handle);
  if (!c) return BW_EHANDLE;
  int code = bw__chan_try_recv(c, value);
  if (code != BW_EAGAIN) return done(c, code);
  chan_op *op = op_for(c, key);
  if (!op) return done(c, BW_ENOMEM);
  code = bw__chan_recv_ticket(c, &op->ticket);
  if (code != BW_EAGAIN) memcpy(value, op->value, op->op.pub.value_size);
  return bw__js_op_begun(&op->op, code);
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

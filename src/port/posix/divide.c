// Integer divisions that the processor refuses. On x86-64 that is one fault, and Linux makes one
// signal of it, whether the divisor was zero or the quotient does not fit its register, as in
// INT_MIN / -1: which of the two it was, only the instruction tells, whose divisor is read here
// once more. Other processors refuse nothing: arm64 gives 0, and INT_MIN.
//
// Nothing leaves the handler by a jump. It changes where the thread goes on, and returns: so the
// system takes the handler's stack and the signal mask back, as after any signal. The thread then
// comes to bw__divide_entry (divide_x86_64.S) on the stack of the code that divided, below that
// code's red zone.
#include "port/port.h"

#if defined(__x86_64__)

#include <ucontext.h>

#include "port/posix/fault.h"

void bw__divide_entry(void); // not to be called: its arguments are where `handle` puts them

static struct {
  bool (*wanted)(uintptr_t sp); // this, go_on and old: r/o once the handler is installed
  void (*go_on)(bool overflow, uintptr_t pc);
  struct sigaction old;
  _Atomic(bool) installed;
} divide;

// ---- the instruction's divisor ------------------------------------------------------------------
//
// DIV and IDIV: prefixes, f6 or f7, the byte that says where the divisor is ("ModRM": mode, 6 or 7,
// register), and where that is memory, another ("SIB": scale, index, base) and a displacement.

enum { REX_B = 1, REX_X = 2, REX_W = 8 };

typedef struct {
  const greg_t *registers;
  const volatile uint8_t *at; // the next byte
  unsigned rex;               // 0: none
  bool halves, short_addresses, in_fs, in_gs;
} instruction;

static uint64_t value_of(const instruction *in, unsigned number) {
  static const uint8_t places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t)in->registers[places[number]];
}

// What the processor itself has just read.
BW_NOT_SANITIZED static uint64_t read_bytes(const volatile uint8_t *p, unsigned n) {
  uint64_t v = 0;
  for (unsigned i = 0; i < n; i++) v |= (uint64_t)p[i] << 8 * i;
  return v;
}

static unsigned take_byte(instruction *in) { return (unsigned)read_bytes(in->at++, 1); }

static uint64_t take_displacement(instruction *in, unsigned n) {
  uint64_t v = read_bytes(in->at, n);
  in->at += n;
  return n == 1 ? (uint64_t)(int8_t)v : n == 4 ? (uint64_t)(int32_t)v : 0;
}

static bool note_prefix(instruction *in, unsigned b) {
  if (b >= 0x40 && b <= 0x4f)
    in->rex = b;
  else if (b == 0x66)
    in->halves = true;
  else if (b == 0x67)
    in->short_addresses = true;
  else if (b == 0x64)
    in->in_fs = true;
  else if (b == 0x65)
    in->in_gs = true;
  else
    return b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0xf2 || b == 0xf3;
  return true;
}

// Where fs points to: the ABI has the address there once more.
static uintptr_t thread_pointer(void) {
  uintptr_t p;
  __asm__("movq %%fs:0, %0" : "=r"(p));
  return p;
}

static uint64_t register_divisor(const instruction *in, unsigned size, unsigned number) {
  if (size == 1 && !in->rex && number >= 4) return value_of(in, number - 4) >> 8; // ah, ch, dh, bh
  return value_of(in, number | (in->rex & REX_B ? 8 : 0));
}

static uint64_t base_and_index(instruction *in, unsigned mode, bool *no_base) {
  unsigned sib = take_byte(in), index = (sib >> 3 & 7) | (in->rex & REX_X ? 8 : 0);
  uint64_t sum = index == 4 ? 0 : value_of(in, index) << (sib >> 6);
  *no_base = mode == 0 && (sib & 7) == 5;
  return *no_base ? sum : sum + value_of(in, (sib & 7) | (in->rex & REX_B ? 8 : 0));
}

static uintptr_t address_of_divisor(instruction *in, unsigned mode, unsigned number) {
  bool no_base = false, from_here = mode == 0 && number == 5;
  uint64_t sum = 0;
  if (number == 4)
    sum = base_and_index(in, mode, &no_base);
  else if (!from_here)
    sum = value_of(in, number | (in->rex & REX_B ? 8 : 0));
  sum += take_displacement(in, mode == 1 ? 1 : mode == 2 || from_here || no_base ? 4 : 0);
  if (from_here) sum += (uintptr_t)in->at; // the displacement is the instruction's end
  if (in->short_addresses) sum = (uint32_t)sum;
  if (in->in_fs) sum += thread_pointer();
  return sum;
}

// False for what is not understood as well.
static bool is_overflow(const greg_t *registers) {
  instruction in = {.registers = registers, .at = (const uint8_t *)registers[REG_RIP]};
  unsigned b;
  while (note_prefix(&in, b = take_byte(&in))) {}
  if ((b != 0xf6 && b != 0xf7) || in.in_gs) return false;
  unsigned size = b == 0xf6 ? 1 : in.rex & REX_W ? 8 : in.halves ? 2 : 4;
  unsigned modrm = take_byte(&in), mode = modrm >> 6, number = modrm & 7;
  uint64_t v = mode == 3 ? register_divisor(&in, size, number)
                         : read_bytes((const uint8_t *)address_of_divisor(&in, mode, number), size);
  return v << (64 - 8 * size) != 0;
}

// ---- the signal ---------------------------------------------------------------------------------

static void go_on_in_entry(greg_t *registers) {
  enum { RED_ZONE = 128, DIRECTION = 1 << 10 };
  bool overflow = is_overflow(registers);
  registers[REG_RDI] = overflow;
  registers[REG_RSI] = registers[REG_RIP];
  registers[REG_RDX] = registers[REG_RSP];
  registers[REG_RAX] = (greg_t)(uintptr_t)divide.go_on;
  registers[REG_RSP] = (registers[REG_RSP] - RED_ZONE) & ~(greg_t)15;
  registers[REG_RIP] = (greg_t)(uintptr_t)bw__divide_entry;
  registers[REG_EFL] &= ~(greg_t)DIRECTION;
}

static void handle(int signal_number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (info->si_code == FPE_INTDIV && divide.wanted((uintptr_t)registers[REG_RSP]))
    go_on_in_entry(registers);
  else
    bw__fault_pass_on(&divide.old, signal_number, info, context);
}

void bw__port_at_divide(bool (*wanted)(uintptr_t sp), void (*go_on)(bool overflow, uintptr_t pc)) {
  if (bw__swap(&divide.installed, true)) return;
  struct sigaction mine = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&mine.sa_mask);
  divide.wanted = wanted;
  divide.go_on = go_on;
  sigaction(SIGFPE, NULL, &divide.old); // first: a fault in between needs it
  sigaction(SIGFPE, &mine, NULL);
}

#else

void bw__port_at_divide(bool (*wanted)(uintptr_t sp), void (*go_on)(bool overflow, uintptr_t pc)) {
  (void)wanted;
  (void)go_on;
}

#endif

// arm64, AAPCS64: callee-saved are x19-x28, the frame pointer x29, the link register x30 (the
// address to go on at), the low halves of v8-v15, and the stack pointer. A context that does not
// run keeps them on its stack: see first_frame in ctx.c.
//
// All functions go on with a jump, not with ret: the return-address predictor holds the other
// context's calls and would always be wrong.
#if defined(__aarch64__)
    .text

#define SP      [x0]                // bw__ctx's fields
#define HOST_SP [x0, #8]

.macro function name
    .globl  \name
    .hidden \name
    .type   \name, %function
    .p2align 4
\name:
    .cfi_startproc
.endm

.macro end name
    .cfi_endproc
    .size   \name, .-\name
.endm

.macro save
    stp     x29, x30, [sp, #-160]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    mov     x9, sp
.endm

.macro go_on
    mov     sp, x10
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     d8, d9, [sp, #96]
    ldp     d10, d11, [sp, #112]
    ldp     d12, d13, [sp, #128]
    ldp     d14, d15, [sp, #144]
    ldp     x29, x30, [sp], #160
    br      x30
.endm

// bool bw__ctx_enter(bw__ctx *c)
function bw__ctx_enter
    save
    str     x9, HOST_SP
    ldr     x10, SP
    go_on
end bw__ctx_enter

// void bw__ctx_leave(bw__ctx *c)
function bw__ctx_leave
    save
    str     x9, SP
    ldr     x10, HOST_SP
    mov     w0, #1                  // what bw__ctx_enter returns
    go_on
end bw__ctx_leave

// void bw__ctx_pass(bw__ctx *from, bw__ctx *to)
function bw__ctx_pass
    save
    str     x9, SP
    ldr     x11, HOST_SP
    str     x11, [x1, #8]
    ldr     x10, [x1]
    go_on
end bw__ctx_pass

// void bw__ctx_finish(bw__ctx *c)
function bw__ctx_finish
    ldr     x10, HOST_SP
    mov     w0, #0
    go_on
end bw__ctx_finish

// The first thing that runs on a context: start(c), with both where first_frame put them.
function bw__ctx_first
    .cfi_undefined x30              // unwinders stop here
    mov     x0, x20
    blr     x19
    brk     #1
end bw__ctx_first
#endif
    .section .note.GNU-stack,"",%progbits

// arm64, AAPCS64: callee-saved are x19-x28, the frame pointer x29, the link register x30 (the
// address to go on at), the low halves of v8-v15, and the stack pointer.
#if defined(__aarch64__)
    .text

// void bw__ctx_swap(void **save, void *load)
    .globl  bw__ctx_swap
    .hidden bw__ctx_swap
    .type   bw__ctx_swap, %function
    .p2align 4
bw__ctx_swap:
    .cfi_startproc
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
    str     x9, [x0]
    mov     sp, x1
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
    br      x30                     // a jump, not ret: see the x86-64 file
    .cfi_endproc
    .size   bw__ctx_swap, .-bw__ctx_swap

// void *bw__ctx_frame(void *top, void (*start)(ctx *), ctx *c)
    .globl  bw__ctx_frame
    .hidden bw__ctx_frame
    .type   bw__ctx_frame, %function
bw__ctx_frame:
    .cfi_startproc
    and     x0, x0, #-16
    sub     x0, x0, #160
    adr     x9, first
    stp     xzr, x9, [x0]           // x29 = 0 ends a frame-pointer walk, x30 = first
    stp     x1, x2, [x0, #16]       // x19 = start, x20 = c
    stp     xzr, xzr, [x0, #32]
    stp     xzr, xzr, [x0, #48]
    stp     xzr, xzr, [x0, #64]
    stp     xzr, xzr, [x0, #80]
    stp     xzr, xzr, [x0, #96]
    stp     xzr, xzr, [x0, #112]
    stp     xzr, xzr, [x0, #128]
    stp     xzr, xzr, [x0, #144]
    ret
    .cfi_endproc
    .size   bw__ctx_frame, .-bw__ctx_frame

    .type   first, %function
first:
    .cfi_startproc
    .cfi_undefined x30
    mov     x0, x20
    blr     x19
    brk     #1
    .cfi_endproc
    .size   first, .-first
#endif
    .section .note.GNU-stack,"",%progbits

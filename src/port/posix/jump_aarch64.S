// arm64: back to a frame that is still there, as setjmp and longjmp, without what those do to the
// pointers they keep. A bw__jump (burrow/defer.h) holds x19-x30, the low halves of v8-v15, and the
// stack pointer. x30 is the address to go on at.
#if defined(__aarch64__)
    .text

// int bw__jump_mark(bw__jump *j): 0, and 1 when it returns for bw__jump_back
    .globl  bw__jump_mark
    .hidden bw__jump_mark
    .type   bw__jump_mark, %function
    .p2align 4
bw__jump_mark:
    .cfi_startproc
    mov     x9, sp
    stp     x19, x20, [x0]
    stp     x21, x22, [x0, #16]
    stp     x23, x24, [x0, #32]
    stp     x25, x26, [x0, #48]
    stp     x27, x28, [x0, #64]
    stp     x29, x30, [x0, #80]
    stp     d8, d9, [x0, #96]
    stp     d10, d11, [x0, #112]
    stp     d12, d13, [x0, #128]
    stp     d14, d15, [x0, #144]
    str     x9, [x0, #160]
    mov     w0, #0
    ret
    .cfi_endproc
    .size   bw__jump_mark, .-bw__jump_mark

// _Noreturn void bw__jump_back(bw__jump *j)
    .globl  bw__jump_back
    .hidden bw__jump_back
    .type   bw__jump_back, %function
    .p2align 4
bw__jump_back:
    .cfi_startproc
    ldp     x19, x20, [x0]
    ldp     x21, x22, [x0, #16]
    ldp     x23, x24, [x0, #32]
    ldp     x25, x26, [x0, #48]
    ldp     x27, x28, [x0, #64]
    ldp     x29, x30, [x0, #80]
    ldp     d8, d9, [x0, #96]
    ldp     d10, d11, [x0, #112]
    ldp     d12, d13, [x0, #128]
    ldp     d14, d15, [x0, #144]
    ldr     x9, [x0, #160]
    mov     w0, #1
    mov     sp, x9
    ret
    .cfi_endproc
    .size   bw__jump_back, .-bw__jump_back
#endif
    .section .note.GNU-stack,"",%progbits

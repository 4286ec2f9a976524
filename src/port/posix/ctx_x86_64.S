// x86-64, System V: callee-saved are rbx, rbp, r12-r15 and the stack pointer.
#if defined(__x86_64__)
    .text

// void bw__ctx_swap(void **save, void *load)
    .globl  bw__ctx_swap
    .hidden bw__ctx_swap
    .type   bw__ctx_swap, @function
    .p2align 4
bw__ctx_swap:
    .cfi_startproc
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    popq    %rcx                    // a jump, not ret: the return-address predictor holds the
    jmpq    *%rcx                   // other context's calls and would always be wrong
    .cfi_endproc
    .size   bw__ctx_swap, .-bw__ctx_swap

// void *bw__ctx_frame(void *top, void (*start)(ctx *), ctx *c)
// The frame that the swap pops: r15 r14 r13 r12 rbx rbp, then the address to go on at.
    .globl  bw__ctx_frame
    .hidden bw__ctx_frame
    .type   bw__ctx_frame, @function
bw__ctx_frame:
    .cfi_startproc
    andq    $-16, %rdi
    leaq    -64(%rdi), %rax
    movq    $0, 0(%rax)
    movq    $0, 8(%rax)
    movq    $0, 16(%rax)
    movq    %rsi, 24(%rax)          // r12 = start
    movq    %rdx, 32(%rax)          // rbx = c
    movq    $0, 40(%rax)            // rbp = 0 ends a frame-pointer walk
    leaq    first(%rip), %rcx
    movq    %rcx, 48(%rax)
    movq    $0, 56(%rax)
    ret
    .cfi_endproc
    .size   bw__ctx_frame, .-bw__ctx_frame

// Arrives with rsp = top - 8; the call needs rsp % 16 == 0 before it.
    .type   first, @function
first:
    .cfi_startproc
    .cfi_undefined rip              // unwinders stop here
    subq    $8, %rsp
    movq    %rbx, %rdi
    callq   *%r12
    ud2
    .cfi_endproc
    .size   first, .-first
#endif
    .section .note.GNU-stack,"",@progbits

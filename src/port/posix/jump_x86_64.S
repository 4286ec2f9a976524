// x86-64: back to a frame that is still there, as setjmp and longjmp, without what those do to the
// pointers they keep. A bw__jump (burrow/defer.h) holds rbx, rbp, r12-r15, and stack pointer and
// address as they are when bw__jump_mark has returned.
#if defined(__x86_64__)
    .text

// int bw__jump_mark(bw__jump *j): 0, and 1 when it returns for bw__jump_back
    .globl  bw__jump_mark
    .hidden bw__jump_mark
    .type   bw__jump_mark, @function
    .p2align 4
bw__jump_mark:
    .cfi_startproc
    movq    (%rsp), %rdx
    leaq    8(%rsp), %rcx
    movq    %rbx, (%rdi)
    movq    %rbp, 8(%rdi)
    movq    %r12, 16(%rdi)
    movq    %r13, 24(%rdi)
    movq    %r14, 32(%rdi)
    movq    %r15, 40(%rdi)
    movq    %rcx, 48(%rdi)
    movq    %rdx, 56(%rdi)
    xorl    %eax, %eax
    ret
    .cfi_endproc
    .size   bw__jump_mark, .-bw__jump_mark

// _Noreturn void bw__jump_back(bw__jump *j)
    .globl  bw__jump_back
    .hidden bw__jump_back
    .type   bw__jump_back, @function
    .p2align 4
bw__jump_back:
    .cfi_startproc
    movq    (%rdi), %rbx
    movq    8(%rdi), %rbp
    movq    16(%rdi), %r12
    movq    24(%rdi), %r13
    movq    32(%rdi), %r14
    movq    40(%rdi), %r15
    movq    56(%rdi), %rdx
    movq    48(%rdi), %rsp
    movl    $1, %eax
    jmpq    *%rdx
    .cfi_endproc
    .size   bw__jump_back, .-bw__jump_back
#endif
    .section .note.GNU-stack,"",@progbits

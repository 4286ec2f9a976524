// x86-64, System V: callee-saved are rbx, rbp, r12-r15 and the stack pointer. A context that does
// not run keeps them on its stack, below the address to go on at: see first_frame in ctx.c.
//
// All functions go on with a jump, not with ret: the return-address predictor holds the other
// context's calls and would always be wrong.
#if defined(__x86_64__)
    .text

#define SP      0(%rdi)             // bw__ctx's fields
#define HOST_SP 8(%rdi)

.macro function name
    .globl  \name
    .hidden \name
    .type   \name, @function
    .p2align 4
\name:
    .cfi_startproc
.endm

.macro end name
    .cfi_endproc
    .size   \name, .-\name
.endm

.macro save
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
.endm

.macro go_on
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    popq    %rcx
    jmpq    *%rcx
.endm

// bool bw__ctx_enter(bw__ctx *c)
function bw__ctx_enter
    save
    movq    %rsp, HOST_SP
    movq    SP, %rsp
    go_on
end bw__ctx_enter

// void bw__ctx_leave(bw__ctx *c)
function bw__ctx_leave
    save
    movq    %rsp, SP
    movl    $1, %eax                // what bw__ctx_enter returns
    movq    HOST_SP, %rsp
    go_on
end bw__ctx_leave

// void bw__ctx_pass(bw__ctx *from, bw__ctx *to)
function bw__ctx_pass
    save
    movq    %rsp, SP
    movq    HOST_SP, %rax
    movq    %rax, 8(%rsi)
    movq    0(%rsi), %rsp
    go_on
end bw__ctx_pass

// void bw__ctx_finish(bw__ctx *c)
function bw__ctx_finish
    xorl    %eax, %eax
    movq    HOST_SP, %rsp
    go_on
end bw__ctx_finish

// The first thing that runs on a context: start(c), with both where first_frame put them. The
// frame was left with rsp = top - 8; the call needs rsp % 16 == 0 before it.
function bw__ctx_first
    .cfi_undefined rip              // unwinders stop here
    subq    $8, %rsp
    movq    %rbx, %rdi
    callq   *%r12
    ud2
end bw__ctx_first
#endif
    .section .note.GNU-stack,"",@progbits

// x86-64: where a thread goes on after a division that faulted (divide.c). It looks to unwinders
// like the frame of a signal, so that they find the code that divided, with all its registers that
// a call keeps.
#if defined(__x86_64__)
    .text

// Comes with rdi and rsi: the arguments of the function in rax, rsi being the address of the
// division; rdx: its stack pointer; rsp: a multiple of 16 below its red zone.
    .globl  bw__divide_entry
    .hidden bw__divide_entry
    .type   bw__divide_entry, @function
    .p2align 4
bw__divide_entry:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa rdx, 0
    .cfi_register rip, rsi
    pushq   %rdx
    pushq   %rsi
    .cfi_escape 0x0f, 3, 0x77, 8, 0x06  // the CFA is what lies at rsp + 8
    .cfi_escape 0x10, 16, 2, 0x77, 0    // the address (column 16) lies at rsp
    callq   *%rax
    ud2
    .cfi_endproc
    .size   bw__divide_entry, .-bw__divide_entry
#endif
    .section .note.GNU-stack,"",@progbits

// asap-compile: replaces the Sinkhorn iterations of a trained model by a fitted closed form.
#include "asap_compile/compile_command.h"

int main(int argc, char** argv) {
  return asap::cli::run_program(
      {.name = "asap-compile",
       .summary =
           "Compile doubly stochastic attention: fit a closed form of the dual that Sinkhorn "
           "iterations converge to.",
       .commands = {&asap::asap_compile::compile_command}},
      argc, argv);
}

// asap-compile: replaces the Sinkhorn iterations of a trained model by a fitted closed form.
#include "asap_compile/compile_command.h"

int main(int argc, char** argv) {
  return asap::cli::run_program(
      {.name = "asap-compile",
       .summary =
           "Compile doubly stochastic attention: fit a closed form of the dual that Sinkhorn "
           "iterations converge to.",
       .description =
           "Reads the run folder of asap-train, sends unlabelled examples through the network and "
           "fits to every head a linear map from cheap features to the duals of its plans. Each "
           "layer gets the cheapest operator that is exact enough, which may be Sinkhorn's own "
           "loop. The result is an operator folder for asap-eval and libasap; nothing is trained.",
       .commands = {&asap::asap_compile::compile_command}},
      argc, argv);
}

// relu-fit: tiny ReLU networks for functions of one and of several variables.
#include "relu_fit/commands.h"

int main(int argc, char** argv) {
  using namespace asap::relu_fit;
  return asap::cli::run_program(
      {.name = "relu-fit",
       .summary = "Fit tiny ReLU networks to functions of one or several variables and count their "
                  "regions.",
       .commands = {&fit_command, &bench_command, &regions_command, &floor_command, &eval_command,
                    &export_command}},
      argc, argv);
}

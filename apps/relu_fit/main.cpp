// relu-fit: tiny ReLU networks for functions of one and of several variables.
#include "relu_fit/commands.h"

int main(int argc, char** argv) {
  using namespace asap::relu_fit;
  return asap::cli::run_program(
      {.name = "relu-fit",
       .summary = "Fit tiny ReLU networks to functions of one or several variables and count their "
                  "regions.",
       .description =
           "Fits a ReLU network to a function or to points of a file. The parameters of the "
           "network fix its number of linear regions; it can be kept convex, concave or monotone, "
           "and its largest error can be proved for every x.",
       .commands = {&fit_command, &bench_command, &regions_command, &floor_command, &eval_command,
                    &export_command}},
      argc, argv);
}

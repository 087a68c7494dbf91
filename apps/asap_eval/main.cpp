// asap-eval: compares attention operators inside a trained network, measures what they cost, and
// answers new examples.
#include "asap_eval/commands.h"

int main(int argc, char** argv) {
  using namespace asap::asap_eval;
  return asap::cli::run_program(
      {.name = "asap-eval",
       .summary = "Compare attention operators inside a trained network (accuracy, speed, plan "
                  "error), and "
                  "classify new data with it.",
       .commands = {&compare_command, &predict_command, &bench_command, &diagnose_command,
                    &drift_command, &regions_command, &export_command, &bundle_command}},
      argc, argv);
}

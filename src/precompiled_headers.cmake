# Headers that nearly every file includes, parsed once for all targets: clang spends much of a build on them. GCC gains
# little and warns falsely, so only the preset `coverage` precompiles. No file may rely on it: other presets do not.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "")  # left alone when it is there
foreach(name asap_precompiled asap_precompiled_for_kernels)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(${name} PRIVATE asap_options OpenMP::OpenMP_CXX nlohmann_json::nlohmann_json)
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <atomic> <chrono> <cmath> <cstdint> <filesystem>
      <fstream> <functional> <iostream> <limits> <map> <memory> <numeric> <optional> <set> <span> <sstream> <stdexcept>
      <string> <string_view> <thread> <tuple> <unordered_map> <variant> <vector> <nlohmann/json.hpp>)
endforeach()
# A precompiled header serves only what is optimised as it is.
optimise_kernels(asap_precompiled_for_kernels)

function(share_precompiled_headers folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(holds_kernels ${target} HOLDS_KERNELS)
    if(holds_kernels)
      target_precompile_headers(${target} REUSE_FROM asap_precompiled_for_kernels)
    elseif(type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
      target_precompile_headers(${target} REUSE_FROM asap_precompiled)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(inner ${folders})
    share_precompiled_headers(${inner})
  endforeach()
endfunction()
share_precompiled_headers(${PROJECT_SOURCE_DIR}/src)
share_precompiled_headers(${PROJECT_SOURCE_DIR}/apps)
if(ASAP_BUILD_TESTS)
  share_precompiled_headers(${PROJECT_SOURCE_DIR}/tests)
endif()

# Debian packages of what `cmake --install` installs, by CPack:
#   asap          the four commands, their manual pages and completions, configs
#   libasapX.Y    the shared library, X.Y the versions with which it is compatible
#   libasap-dev   its header, CMake package and pkg-config file
# The target `deb` builds what they hold, and no tests, and writes them into the build folder's packages/.
find_program(DPKG_DEB dpkg-deb)
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
find_program(GZIP gzip)
if(NOT TARGET asap OR NOT CMAKE_LIBRARY_ARCHITECTURE OR NOT DPKG_DEB OR NOT DPKG_SHLIBDEPS OR NOT GZIP)
  return()  # builds with sanitizers, and systems without dpkg-dev
endif()

include(GNUInstallDirs)
get_target_property(compatible asap SOVERSION)
set(version ${PROJECT_VERSION}-1)  # Debian's: the toolkit's and the packages' own
set(work ${PROJECT_BINARY_DIR}/packages/work)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME asap)
set(CPACK_PACKAGE_VENDOR "The ASAP toolkit developers")
set(CPACK_PACKAGE_CONTACT "The ASAP toolkit developers <maintainers@asap.example>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
# A summary that is not CPack's own would stand above the one of every component.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${CMAKE_PROJECT_NAME} built using CMake")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/as_debian_wants.cmake)
set(CPACK_XZ_LEVEL 6)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/packed_by_dpkg.cmake)

set(CPACK_COMPONENTS_ALL programs debian_library debian_development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE none)  # the second script packs
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME asap)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "dataset-fashion-mnist, gnuplot-nox, node-d3")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION "doubly stochastic Transformers and tiny ReLU networks
Trains Transformers whose attention is doubly stochastic (Sinkhorn), compiles
that attention into a closed form that needs no Sinkhorn loop, compares the
two, and classifies new texts, images and sets of points.

Also fits small ReLU networks whose number of linear regions is known in
advance to functions and data of one or several variables.

The commands are asap-train, asap-compile, asap-eval and relu-fit.
")

set(library_description "A library with a C interface: it loads a network of asap-train and answers
with it, computes softmax, Sinkhorn and compiled attention on the caller's
arrays, and evaluates networks of relu-fit.
")
set(CPACK_DEBIAN_DEBIAN_LIBRARY_PACKAGE_NAME libasap${compatible})
set(CPACK_DEBIAN_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
file(WRITE ${work}/shlibs "libasap ${compatible} libasap${compatible} (>= ${PROJECT_VERSION})\n")
file(WRITE ${work}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${work}/shlibs ${work}/triggers)
set(CPACK_COMPONENT_DEBIAN_LIBRARY_DESCRIPTION "answers of trained networks and attention (shared library)
${library_description}")

set(CPACK_DEBIAN_DEBIAN_DEVELOPMENT_PACKAGE_NAME libasap-dev)
set(CPACK_DEBIAN_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libasap${compatible} (= ${version})")
set(CPACK_COMPONENT_DEBIAN_DEVELOPMENT_DESCRIPTION "answers of trained networks and attention (development files)
${library_description}
This package has the header, the CMake package and the pkg-config file.
")

# Every package holds its licence and its history.
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${work}/changelog.Debian @ONLY)
execute_process(COMMAND ${GZIP} -9nc ${work}/changelog.Debian OUTPUT_FILE ${work}/changelog.Debian.gz
                COMMAND_ERROR_IS_FATAL ANY)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} name)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright ${work}/changelog.Debian.gz COMPONENT ${component} EXCLUDE_FROM_ALL
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME})
endforeach()

add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake
                  WORKING_DIRECTORY ${PROJECT_BINARY_DIR} USES_TERMINAL VERBATIM
                  COMMENT "Write the Debian packages")
add_dependencies(deb asap help_files asap-train asap-compile asap-eval relu-fit)
include(CPack)

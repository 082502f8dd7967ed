# scripts/instance_run --pack: programs and the libraries they need, in one folder to carry.
# shellcheck shell=bash disable=SC2154

# Prints the shared libraries that a program needs and the target may lack, as paths. glibc and
# libstdc++ must be the target's own, and the driver's libraries match only its driver.
libraries_to_carry() {
  local file=$1 with_cuda_libs=$2
  local never='^(ld-linux|lib(c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s|cuda|nvidia-.*)\.so)'
  local cuda='^lib(cu(dart|blas|blasLt|dnn.*|pti|rand|solver|sparse|fft)|nv.*|nccl)\.so'
  local name path
  ldd "$file" | sed -n 's/^\s*\(\S*\) => \(\/.*\) (0x[0-9a-f]*)$/\1 \2/p' | while read -r name path; do
    [[ $name =~ $never ]] && continue
    if [[ $name =~ $cuda ]]; then
      ((with_cuda_libs)) || continue
      # cuDNN opens its other parts by name at run time.
      if [[ $name == libcudnn.so* ]]; then
        find "$(dirname "$(readlink -f "$path")")" -name 'libcudnn_*.so.[0-9]*'
      fi
    fi
    printf '%s\n' "$path"
  done
}

# pack ARCHITECTURES WITH_CUDA_LIBS FOLDER
pack() {
  local architectures=$1 with_cuda_libs=$2 folder=$3 build_folder=$ridge_root/build-pack file
  [[ ! -e $folder || -e $folder/BUILD.txt ]] || die "$folder exists and is not a packed build"
  "$ridge_root/scripts/setup"
  # Code for any x86-64 machine with AVX2; libraries are found beside the programs, also those that
  # a library needs (which DT_RUNPATH, the newer tag, would not do).
  local old_tags=-Wl,--disable-new-dtags
  # shellcheck disable=SC2016
  configure "$build_folder" "$architectures" -DRIDGE_NATIVE=OFF -DBUILD_TESTING=ON \
    -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON '-DCMAKE_INSTALL_RPATH=$ORIGIN/../lib' \
    "-DCMAKE_EXE_LINKER_FLAGS=$old_tags" "-DCMAKE_MODULE_LINKER_FLAGS=$old_tags"
  build "$build_folder"

  local staged=$folder.tmp
  rm -rf "$staged"
  mkdir -p "$staged/bin" "$staged/lib" "$staged/scripts"
  cp -p "$build_folder"/bin/* "$staged/bin/"
  list_gpu_tests "$build_folder" > "$staged/bin/gpu_tests.txt"
  # Tests that need no GPU stay at home.
  for file in "$staged"/bin/test_*; do
    [[ ! -e $file ]] || grep -qxF "$(basename "$file")" "$staged/bin/gpu_tests.txt" || rm "$file"
  done
  for file in "$staged"/bin/*; do
    [[ $file != *.txt ]] || continue
    strip --strip-unneeded "$file"
    libraries_to_carry "$file" "$with_cuda_libs"
  done | sort -u | while read -r file; do cp -L "$file" "$staged/lib/"; done
  cp -p "$ridge_root"/scripts/{instance_run,*.sh,*.py,llama-3.1-8b-kernels.csv} "$staged/scripts/"
  # Datasheets, models and engines, found from the programs.
  mkdir -p "$staged/roofline" "$staged/predictor/models" "$staged/predictor/engines"
  cp -rp "$ridge_root/roofline/devices" "$staged/roofline/"
  cp -rp "$ridge_root"/predictor/models/{bundled,aliases.json} "$staged/predictor/models/"
  cp -rp "$ridge_root/predictor/engines/profiles" "$staged/predictor/engines/"
  cp -p "$ridge_root/LICENSE" "$staged/"
  {
    echo "revision: $(git -C "$ridge_root" describe --always --dirty 2> /dev/null || echo unknown)"
    echo "architectures: $architectures"
    echo "cuda: $(nvcc=$(find_nvcc) && cuda_version "$nvcc" || echo none)"
    echo "compiler: $(c++ --version | head -n 1)"
    echo "glibc: $(ldd --version | head -n 1)"
    echo "date: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  } > "$staged/BUILD.txt"
  rm -rf "$folder"
  mv "$staged" "$folder"
  tar -C "$(dirname "$folder")" -czf "$folder.tar.gz" "$(basename "$folder")"
  say "== packed: $folder ($(du -sm "$folder" | cut -f 1) MiB)," \
    "$folder.tar.gz ($(du -m "$folder.tar.gz" | cut -f 1) MiB)"
  say "   carry it over, unpack, run: scripts/instance_run"
}

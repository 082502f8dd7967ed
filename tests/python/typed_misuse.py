"""Read by mypy, not run: each line that ends so is an error to it, and no other."""
import ridgepoint

ridgepoint.predict("8b", "h100", "512")  # wrong
ridgepoint.predict("8b", "h100", 512, 64, batches=2)  # wrong
ridgepoint.Prompt(512).tokens = 5  # wrong
ridgepoint.Request([512])  # wrong
ridgepoint.find_device("h100").name  # wrong
seconds: float = ridgepoint.predict("8b", "h100", 512).ttft_s  # wrong

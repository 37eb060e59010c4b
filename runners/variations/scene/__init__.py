"""The variations of the scene, a file each: adding one touches no other."""
